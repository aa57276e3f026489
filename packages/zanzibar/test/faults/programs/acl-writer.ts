import { openZanzibar } from '../../../src/index.ts'
import { enemyModel } from '../new-enemy.ts'
import { openStore } from '../open-store.ts'

// acl-writer.ts ADDRESS NAME: makes the writes that it is sent, and answers each with its token.
const [address = '', name = ''] = process.argv.slice(2)
const { store } = await openStore(address)
const zanzibar = await openZanzibar({ store, model: enemyModel, name })

process.on('message', (message: { readonly id: number; readonly write: string }) => {
  void zanzibar
    .write(JSON.parse(message.write))
    .then(({ token }) => process.send?.({ id: message.id, token }))
})
process.send?.('ready')
