import time


def test_a(story):
    for args in (
        ("status",),
        ("trace", "haina/demand"),
        ("verify", "demand.csv"),
        ("register", "haina/x", "orders.csv"),
        ("audit",),
        ("sync", "--rebuild"),
    ):
        t = time.time()
        story(*args)
        print(args, round(time.time() - t, 2))


def test_b(parties):
    parties.at("jinlong")("log")
