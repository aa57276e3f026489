import { tokensOf } from '../../src/consistency/token.ts'
import { openZanzibar, type TupleStore, type Zanzibar, type ZanzibarWrite } from '../../src/index.ts'

/** What a campaign came to. */
export interface Paged {
  readonly pages: number
  readonly objects: number
  /** Writes while the pages were asked for. */
  readonly writes: number
  readonly seconds: number
  readonly violations: readonly string[]
}

export interface PagesOptions {
  /** Of the space, which is new. */
  readonly name: string
  readonly objects: number
  readonly pageSize: number
  readonly random: () => number
  /** Between two writes. */
  readonly pace: () => Promise<unknown>
}

const model = `
model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
type doc
  relations
    define blocked: [user]
    define viewer: [user, group#member] but not blocked`

const pathsTo = [
  (doc: string) => ({ user: 'user:a', relation: 'viewer', object: doc }),
  (doc: string) => ({ user: 'group:outer#member', relation: 'viewer', object: doc }),
] as const

/**
 * Lists objects page by page while what the list is made of changes, and looks whether each object of the first page's moment
 * is there once, and no other. The reader and the writer may have connections of their own.
 */
export async function pageWhileWriting(
  stores: { readonly reader: TupleStore; readonly writer: TupleStore },
  { name, objects, pageSize, random, pace }: PagesOptions,
): Promise<Paged> {
  const writer = await openZanzibar({ store: stores.writer, model, name })
  await using reader = await openZanzibar({ store: stores.reader, model, name, closureIndex: true })
  await fill(writer, objects)
  const done = new AbortController()
  const begun = performance.now()
  const writing = writeUntil(done.signal, writer, { objects, random, pace })
  const found: string[] = []
  const moments = new Set<string>()
  let pages = 0
  try {
    let after: string | undefined
    do {
      const page = await reader.listObjectsPage('user:a', 'viewer', 'doc', { limit: pageSize, after })
      pages++
      found.push(...page.objects)
      moments.add(page.token)
      after = page.next
      // Each page would be of another moment, if it were for the clock.
      await writing.next()
    } while (after !== undefined)
  } finally {
    done.abort()
    await writing.ended
  }
  const seconds = (performance.now() - begun) / 1000
  const writes = writing.count()
  const revision = tokensOf(stores.reader.identity, reader.storeId).read([...moments][0] ?? '')
  const expected = await visibleAt(stores.reader, reader.storeId, revision)
  const violations = violationsOf(found, expected, moments)
  return { pages, objects: found.length, writes, seconds, violations }
}

/** So that a slow store has as many writes as a quick one. */
const writersAtOnce = 4

interface Writing {
  /** Resolves with the next write. */
  next(): Promise<void>
  count(): number
  readonly ended: Promise<unknown>
}

function writeUntil(
  done: AbortSignal,
  writer: Zanzibar,
  { objects, random, pace }: Pick<PagesOptions, 'objects' | 'random' | 'pace'>,
): Writing {
  let count = 0
  let waiting = Promise.withResolvers<void>()
  const write = async (): Promise<void> => {
    while (!done.aborted) {
      await writer.write(randomWrite(objects, random))
      count++
      waiting.resolve()
      waiting = Promise.withResolvers()
      await pace()
    }
  }
  const ended = Promise.all(Array.from({ length: writersAtOnce }, write))
  // Who waits for a write that fails hears of it.
  ended.catch((error: unknown) => waiting.reject(error))
  return { next: () => waiting.promise, count: () => count, ended }
}

function violationsOf(
  found: readonly string[],
  expected: ReadonlySet<string>,
  moments: ReadonlySet<string>,
): readonly string[] {
  const distinct = new Set(found)
  const violations: string[] = []
  if (moments.size !== 1) violations.push(`the pages are of ${moments.size} moments`)
  if (distinct.size !== found.length) violations.push(`${found.length - distinct.size} objects came twice`)
  for (const object of expected) if (!distinct.has(object)) violations.push(`${object} did not come`)
  for (const object of distinct) if (!expected.has(object)) violations.push(`${object} came`)
  return violations
}

/** All that the user sees, told from the changes up to a revision alone. */
async function visibleAt(store: TupleStore, storeId: string, revision: number): Promise<ReadonlySet<string>> {
  const held = new Map<string, Set<string>>()
  let position = 0
  for (;;) {
    const changes = await store.changes(storeId, { after: position, limit: 1000 })
    for (const { operation, tuple, revision: committed } of changes) {
      if (committed > revision) break
      const key = `${tuple.relation} ${tuple.user}`
      const objects = held.get(key) ?? new Set()
      held.set(key, objects)
      if (operation === 'write') objects.add(tuple.object)
      else objects.delete(tuple.object)
    }
    position = changes.at(-1)?.position ?? position
    if (changes.length < 1000) break
  }
  const isMember =
    held.get('member user:a')?.has('group:inner') === true &&
    held.get('member group:inner#member')?.has('group:outer') === true
  const visible = new Set(held.get('viewer user:a'))
  if (isMember) for (const doc of held.get('viewer group:outer#member') ?? []) visible.add(doc)
  for (const doc of held.get('blocked user:a') ?? []) visible.delete(doc)
  return visible
}

async function fill(zanzibar: Zanzibar, objects: number): Promise<void> {
  await zanzibar.write({
    add: [
      ['user:a', 'member', 'group:inner'],
      ['group:inner#member', 'member', 'group:outer'],
    ],
  })
  const add = Array.from({ length: objects }, (_, each) => pathsTo[each % 2 === 0 ? 0 : 1](docOf(each)))
  for (let from = 0; from < add.length; from += 1000)
    await zanzibar.write({ add: add.slice(from, from + 1000) })
}

/** Grants, takes away and blocks; a third as many objects again come and go. */
function randomWrite(objects: number, random: () => number): ZanzibarWrite {
  const doc = docOf(Math.floor((random() * objects * 4) / 3))
  const path = pathsTo[random() < 0.5 ? 0 : 1](doc)
  const kind = random()
  const block = { user: 'user:a', relation: 'blocked', object: doc }
  if (kind < 0.4) return { add: [path], onDuplicate: 'ignore' }
  if (kind < 0.8) return { remove: [path], onMissing: 'ignore' }
  return kind < 0.9 ? { add: [block], onDuplicate: 'ignore' } : { remove: [block], onMissing: 'ignore' }
}

function docOf(each: number): string {
  return `doc:${each}`
}
