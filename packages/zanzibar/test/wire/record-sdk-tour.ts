// Writes what OpenFGA's client is told by OpenFGA, for the test that has no OpenFGA at hand:
//   OPENFGA=path/to/openfga node --conditions=@loadbearing/source test/wire/record-sdk-tour.ts
import { writeFileSync } from 'node:fs'
import { startOpenFga } from '../openfga.ts'
import { sdkTour } from './sdk-tour.ts'

const peer = await startOpenFga()
if ('missing' in peer) throw new Error(peer.missing)
await using openFga = peer

const tour = await sdkTour(openFga.url)
writeFileSync(new URL('recorded-sdk-tour.json', import.meta.url), `${JSON.stringify(tour, null, 2)}\n`)
console.log(`${Object.keys(tour).length} steps`)
