"""Deployer: addresses that commit to code, arguments and salt, whoever asks."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from eth_tester.exceptions import TransactionFailed
from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle

from ledger.chain import artifacts
from ledger.core.hashing import keccak256

OTHER_SALT = b"other salt".ljust(32, b"\0")

# what snekmate computes is the second opinion; nothing of it is shipped
SECOND_OPINION = """
# pragma version 0.4.3
# pragma evm-version cancun
from snekmate.utils import create2

@external
@view
def address_of(salt: bytes32, init_code_hash: bytes32, deployer: address) -> address:
    return create2._compute_create2_address(salt, init_code_hash, deployer)
"""


@pytest.fixture
def calls(evm):
    return evm.deployer.functions


def test_address_is_that_of_create2(evm, calls, tmp_path):
    (tmp_path / "SecondOpinion.vy").write_text(SECOND_OPINION)
    bundle = FilesystemInputBundle(
        [Path(find_spec("snekmate").submodule_search_locations[0]).parent, tmp_path]
    )
    out = compile_from_file_input(
        bundle.load_file("SecondOpinion.vy"), bundle, output_formats=["abi", "bytecode"]
    )
    sent = evm.web3.eth.contract(abi=out["abi"], bytecode=out["bytecode"]).constructor().transact()
    opinion = evm.web3.eth.contract(
        address=evm.web3.eth.get_transaction_receipt(sent)["contractAddress"], abi=out["abi"]
    ).functions
    for name, arguments in (("Identities", ()), ("Directory", (evm.identities.address, evm.accounts[3]))):
        init_code = evm.init_code(name, *arguments)
        expected = opinion.address_of(OTHER_SALT, keccak256(init_code), evm.deployer.address).call()
        assert calls.deploy(init_code, OTHER_SALT).call() == expected
        assert evm.create(name, *arguments, salt=OTHER_SALT).address == expected
        assert evm.create2_address(init_code, OTHER_SALT) == expected
        assert evm.web3.eth.get_code(expected) == artifacts.load(name).runtime_code


def test_who_asks_does_not_matter(evm, calls):
    init_code = evm.init_code("Revocations", evm.identities.address)
    addresses = {calls.deploy(init_code, OTHER_SALT).call({"from": account}) for account in evm.accounts[:3]}
    assert len(addresses) == 1


def test_the_same_contract_only_once(evm, calls):
    init_code = evm.init_code("Identities")
    evm.send(calls.deploy(init_code, OTHER_SALT))
    evm.refused(calls.deploy(init_code, OTHER_SALT), "b''", evm.accounts[1])


def test_a_failing_constructor_speaks_for_itself(evm, calls):
    # PUSH1 0 PUSH1 0 REVERT, and the same with one word of data
    evm.refused(calls.deploy(bytes.fromhex("60006000fd"), OTHER_SALT), "b''")
    with pytest.raises(TransactionFailed) as caught:
        calls.deploy(bytes.fromhex("602a60005260206000fd"), OTHER_SALT).call()
    assert repr((42).to_bytes(32, "big")) in str(caught.value)


def test_takes_no_money_and_no_more_than_the_limit(evm, calls):
    transaction = {
        "to": evm.deployer.address,
        "data": calls.deploy(b"", OTHER_SALT)._encode_transaction_data(),
    }
    evm.web3.eth.call(transaction)
    with pytest.raises(TransactionFailed):
        evm.web3.eth.call(transaction | {"value": 1})
    evm.refused(calls.deploy(bytes(49_153), OTHER_SALT), "b''", mine=False)
    calls.deploy(bytes(49_152), OTHER_SALT).call()


@pytest.mark.parametrize("name", artifacts.CONTRACTS[1:-1])
def test_contracts_do_not_depend_on_how_they_were_created(evm, name):
    """Created by an account or by the Deployer, in whatever block: the same code, the same storage."""
    arguments = {"Identities": (), "Directory": (evm.identities.address, evm.accounts[3])}.get(
        name, (evm.identities.address,)
    )
    by_account, by_deployer = (
        evm.create_plain(name, *arguments),
        evm.create(name, *arguments, salt=OTHER_SALT),
    )
    code = [evm.web3.eth.get_code(contract.address) for contract in (by_account, by_deployer)]
    assert code == [artifacts.load(name).runtime_code] * 2
    roots = [storage_of(evm, contract.address) for contract in (by_account, by_deployer)]
    assert roots[0] == roots[1]
    if "identities" in artifacts.load(name).storage_layout:
        assert by_deployer.functions.identities().call() == evm.identities.address


def storage_of(evm, address: str) -> list[bytes]:
    """The first slots: whatever a constructor could have written outside of maps."""
    return [bytes(evm.web3.eth.get_storage_at(address, slot)) for slot in range(8)]
