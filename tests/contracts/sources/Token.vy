# pragma version 0.4.3
"""
@title An ERC-20 token that can misbehave, for tests: it takes fees, says no, or calls back.
"""

interface ISettlement:
    def withdraw(to: address): nonpayable


balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
fee: public(uint256)
refuses: public(bool)
calls_back: public(address)


@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    return True


@external
def behave(fee: uint256, refuses: bool, calls_back: address):
    self.fee = fee
    self.refuses = refuses
    self.calls_back = calls_back


@external
def transfer(to: address, amount: uint256) -> bool:
    if self.calls_back != empty(address):
        extcall ISettlement(self.calls_back).withdraw(to)
    return self._move(msg.sender, to, amount)


@external
def transferFrom(sender: address, to: address, amount: uint256) -> bool:
    self.allowance[sender][msg.sender] -= amount
    return self._move(sender, to, amount)


@internal
def _move(sender: address, to: address, amount: uint256) -> bool:
    if self.refuses:
        return False
    self.balanceOf[sender] -= amount
    self.balanceOf[to] += amount - self.fee
    return True
