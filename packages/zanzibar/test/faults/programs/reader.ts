import { watch } from '../../../src/consistency/watch.ts'
import { openStore } from '../open-store.ts'

// reader.ts ADDRESS STORE AFTER: says every change after a position.
const [address = '', storeId = '', after = '0'] = process.argv.slice(2)
const { store } = await openStore(address)
for await (const change of watch(store, storeId, { after: Number(after) })) {
  await new Promise<void>((resolve) => process.send?.(change, undefined, {}, () => resolve()))
}
