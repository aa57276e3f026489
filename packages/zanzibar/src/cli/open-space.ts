import { ZanzibarError } from '../errors.ts'
import type { Semantics } from '../model/type-system.ts'
import { openZanzibar } from '../open-zanzibar.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { TupleStore } from '../store/tuple-store.ts'
import type { Zanzibar } from '../zanzibar.ts'
import { openExistingStore } from './open-store.ts'
import { loadModel, loadStore } from './read-store-file.ts'

/** Where to ask: a store of a storage, or a store file. */
export interface Place {
  readonly store?: string | undefined
  readonly name?: string | undefined
  readonly file?: string | undefined
  readonly semantics?: Semantics | undefined
}

/** A store to be asked. */
export interface Space extends AsyncDisposable {
  readonly store: TupleStore
  readonly storeId: string
  readonly zanzibar: Zanzibar
  readonly semantics: Semantics
}

/** @throws ZanzibarError `invalid_option` for no place, a store that is not there, or one without a model */
export async function openSpace({ store: url, name, file, semantics = 'openfga-v1' }: Place): Promise<Space> {
  if (file !== undefined) return await spaceOfFile(file, semantics)
  if (url === undefined) throw wrong('say where: --store URL, or --file FILE.fga.yaml')
  const store = await openExistingStore(url)
  try {
    const { id, name: found } = await onlyStore(store, name)
    const stored = await store.readModel(id)
    if (stored === undefined) throw wrong(`the store ${found} has no model`)
    const zanzibar = await openZanzibar({ store, name: found, model: stored.model, semantics })
    return spaceOf(store, zanzibar, semantics)
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

async function spaceOfFile(path: string, semantics: Semantics): Promise<Space> {
  const store = memoryStore()
  if (!/\.ya?ml$/.test(path)) {
    const { model } = await loadModel(path)
    return spaceOf(store, await openZanzibar({ store, model, semantics }), semantics)
  }
  const { model, tuples } = await loadStore(path)
  const zanzibar = await openZanzibar({ store, model: model.model, semantics })
  await addAll(zanzibar, tuples)
  return spaceOf(store, zanzibar, semantics)
}

const tuplesPerWrite = 100

/** Adds tuples in writes of a hundred; what is there already stays. */
export async function addAll(
  zanzibar: Pick<Zanzibar, 'write'>,
  tuples: readonly NonNullable<Parameters<Zanzibar['write']>[0]['add']>[number][],
): Promise<void> {
  for (let at = 0; at < tuples.length; at += tuplesPerWrite) {
    await zanzibar.write({ add: tuples.slice(at, at + tuplesPerWrite), onDuplicate: 'ignore' })
  }
}

async function onlyStore(store: TupleStore, name: string | undefined): Promise<{ id: string; name: string }> {
  const { items } = await store.listStores({ limit: 20, ...(name !== undefined && { name }) })
  const [first, second] = items
  if (first === undefined)
    throw wrong(name === undefined ? 'there is no store' : `there is no store named ${name}`)
  if (second !== undefined && name === undefined) {
    throw wrong(
      `there is more than one store; say --name, such as ${items.map((each) => each.name).join(', ')}`,
    )
  }
  return first
}

function spaceOf(store: TupleStore, zanzibar: Zanzibar, semantics: Semantics): Space {
  return {
    store,
    semantics,
    storeId: zanzibar.storeId,
    zanzibar,
    [Symbol.asyncDispose]: async () => {
      await zanzibar[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

const wrong = (message: string): ZanzibarError => new ZanzibarError('invalid_option', message)
