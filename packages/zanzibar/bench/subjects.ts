import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Prepared } from '@loadbearing/harness/bench'
import { memoryStore, openZanzibar, type TupleStore } from '@loadbearing/zanzibar'
import { sqliteStore } from '@loadbearing/zanzibar/sqlite'
import { newEnforcer, newModelFromString, StringAdapter } from 'casbin'
import { type Triple, workload } from './workloads.ts'

/** Which of the workloads. */
interface Input {
  readonly name: string
}

type Subject = Prepared<Triple>

async function inProcess(store: TupleStore, { name }: Input, closureIndex = false): Promise<Subject> {
  const { model, tuples, lists } = workload(name)
  const filling = await openZanzibar({ model, store })
  for (let from = 0; from < tuples.length; from += 10_000) {
    await filling.write({ add: tuples.slice(from, from + 10_000) })
  }
  const zanzibar = await openZanzibar({ model, store, closureIndex })
  if (lists) {
    return {
      call: ([user, relation, type]) => Array.fromAsync(zanzibar.listObjects(user, relation, type)),
      answer: inOrder,
    }
  }
  return { call: ([user, relation, object]) => zanzibar.checkSync(user, relation, object) }
}

export const memory = (input: Input): Promise<Subject> => inProcess(memoryStore(), input)

export const memoryIndexed = (input: Input): Promise<Subject> => inProcess(memoryStore(), input, true)

export async function memoryAsync({ name }: Input): Promise<Subject> {
  const { model, tuples } = workload(name)
  const zanzibar = await openZanzibar({ model })
  for (let from = 0; from < tuples.length; from += 10_000) {
    await zanzibar.write({ add: tuples.slice(from, from + 10_000) })
  }
  return { call: ([user, relation, object]) => zanzibar.check(user, relation, object) }
}

export function sqlite(input: Input): Promise<Subject> {
  return inProcess(sqliteStore({ path: join(temporary(), 'tuples.db') }), input)
}

/** Neither says in which order objects are listed. */
function inOrder(listed: unknown): unknown {
  return Array.isArray(listed) ? listed.map(String).toSorted((a, b) => (a < b ? -1 : 1)) : listed
}

export async function casbin({ name }: Input): Promise<Subject> {
  const { tuples } = workload(name)
  const enforcer = await newEnforcer(
    newModelFromString(`
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
`),
    // Added one by one, each would be looked for among all others: minutes for as many as these.
    new StringAdapter(
      tuples
        .map(([user, relation, object]) =>
          relation === 'member'
            ? `g, ${user}, ${object}`
            : `p, ${user.replace('#member', '')}, ${object}, ${relation}`,
        )
        .join('\n'),
    ),
  )
  return { call: ([user, relation, object]) => enforcer.enforceSync(user, object, relation) }
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'zanzibar-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}
