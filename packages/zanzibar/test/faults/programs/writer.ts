import { isZanzibarError } from '../../../src/errors.ts'
import { openStore } from '../open-store.ts'
import { type Said, unit } from '../unit.ts'

// writer.ts ADDRESS STORE NAME FIRST LANES: writes units without an end, and says so of each; deletes the one before the last.
const [address = '', storeId = '', name = '', first = '0', lanes = '1'] = process.argv.slice(2)
const { store } = await openStore(address)

function say(message: Said | 'ready'): Promise<void> {
  return new Promise((resolve) => process.send?.(message, undefined, {}, () => resolve()))
}

let next = Number(first)

async function lane(): Promise<void> {
  for (;;) {
    const index = next++
    try {
      const { revision } = await store.write(storeId, {
        writes: unit(name, index),
        // What two processes write both stays: deleted, it could be written again.
        deletes: name === 'both' ? [] : unit(name, index - 2 * Number(lanes)),
        onMissing: 'ignore',
      })
      await say({ name, index, revision })
    } catch (error) {
      if (!isZanzibarError(error) || error.code === 'internal_error') throw error
      await say({ name, index, refused: error.code })
    }
  }
}

await say('ready')
await Promise.all(Array.from({ length: Number(lanes) }, lane))
