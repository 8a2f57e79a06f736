# pragma version 0.4.3
"""
@title A payee that asks for its money again while it is being paid, or takes none; for tests.
"""

interface ISettlement:
    def withdraw(to: address): nonpayable


target: address
greedy: bool


@external
def rob(target: address, greedy: bool):
    self.target = target
    self.greedy = greedy
    extcall ISettlement(target).withdraw(self)


@external
@payable
def __default__():
    assert self.greedy, "no, thank you"
    extcall ISettlement(self.target).withdraw(self)
