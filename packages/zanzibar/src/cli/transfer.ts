import { ZanzibarError } from '../errors.ts'
import { printModel } from '../model/print-model.ts'
import { openZanzibar } from '../open-zanzibar.ts'
import type { Tuple } from '../tuple/tuple.ts'
import { addAll, openSpace, type Place, type Space } from './open-space.ts'
import { openStore } from './open-store.ts'
import type { Answer } from './questions.ts'
import { hasStore, loadStore, loadTuples } from './read-store-file.ts'

/** Brings a store file, SpiceDB's validation file, or a file of tuples into a store. What is there already stays. */
export async function importInto(place: Place, path: string | undefined): Promise<Answer> {
  if (path === undefined)
    throw new ZanzibarError('invalid_option', 'say which file: .fga.yaml, .yaml, .json, .jsonl or .csv')
  if (!(await hasStore(path))) {
    const tuples = await loadTuples(path)
    await using space = await openSpace(place)
    await addAll(space.zanzibar, tuples)
    return { lines: [`${tuples.length} tuples`] }
  }
  if (place.store === undefined)
    throw new ZanzibarError('invalid_option', '--store is missing: where to import to')
  const { file, model, tuples } = await loadStore(path)
  await using store = await openStore(place.store)
  const name = place.name ?? (file.name || 'default')
  await using zanzibar = await openZanzibar({ store, name, model: model.model })
  await addAll(zanzibar, tuples)
  return {
    lines: [`store ${name} (${zanzibar.storeId}), model ${zanzibar.modelId}, ${tuples.length} tuples`],
  }
}

/** A store as a store file. */
export async function exported({ store, storeId, zanzibar }: Space): Promise<Answer> {
  const { stringify } = await import('yaml')
  const record = await store.getStore(storeId)
  const stored = await store.readModel(storeId)
  const tuples: Tuple[] = []
  for await (const { tuple } of zanzibar.read()) tuples.push(tuple)
  const model = stored === undefined ? '' : printModel(stored.model)
  return { lines: [stringify({ name: record?.name ?? '', model, tuples }).trimEnd()] }
}
