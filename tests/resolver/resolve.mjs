// What ethr-did-resolver, as published, makes of identities: {rpcUrl, registry, chainId, dids} on stdin, the
// results of DID resolution (https://www.w3.org/TR/did-resolution) in the same order as JSON on stdout.

import { readFileSync } from 'node:fs'
import { Resolver } from 'did-resolver'
import { getResolver } from 'ethr-did-resolver'

const { rpcUrl, registry, chainId, dids } = JSON.parse(readFileSync(0, 'utf8'))
const resolver = new Resolver(getResolver({ networks: [{ chainId, rpcUrl, registry }] }))
const results = []
for (const did of dids) results.push(await resolver.resolve(did))
process.stdout.write(JSON.stringify(results), () => process.exit(0)) // the provider would keep polling
