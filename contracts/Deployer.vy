# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Deployer
@custom:contract-name Deployer
@license Apache-2.0
@notice Creates contracts with CREATE2, so that an address commits to init code, constructor arguments and
        salt: `keccak256(0xff || deployer || salt || keccak256(init code || arguments))[12:]`. It has no owner
        and no state, and whoever calls it gets the same address. Its own address needs no trust.
@dev Creating the same contract twice reverts: the address is taken, which is what a caller that resumes an
     interrupted deployment looks at first.
"""


@external
def deploy(init_code: Bytes[49_152], salt: bytes32) -> address:
    """
    @notice Creates a contract and returns its address. Reverts with the constructor's reason if it fails.
    @dev `init_code` runs with this contract as `msg.sender`: a constructor that looks at its caller learns
         nothing about who asked. This system's constructors depend on their arguments only.
    @param init_code At most 49,152 bytes (the limit of EIP-3860): init code followed by the ABI-encoded arguments.
    @param salt The 32-byte salt.
    @return address The 20-byte address of the new contract.
    """
    return raw_create(init_code, salt=salt)
