import { createHash } from 'node:crypto'
import { type Command, type Field, field, servePort } from '@loadbearing/harness/conformance'
import { type Backend, type Key, Maglev, type ModeName } from '@loadbearing/maglev'
import { poolOperations } from './pool-operations.ts'

const modes = [
  'stable',
  'classic',
  'envoy',
  'cilium',
  'katran-v1',
  'katran-v2',
  'go-maglev',
] as const satisfies ModeName[]
const ownersShownUpTo = 10_000

await servePort({ table, lookup, replicas, plan, ...poolOperations })

function table(command: Command): object {
  const maglev = build(command)
  const owners = maglev.owners()
  const counts = maglev.backends.map(() => 0)
  const bytes = Buffer.alloc(owners.length * 4)
  for (const [slot, owner] of owners.entries()) {
    bytes.writeInt32LE(owner, slot * 4)
    if (owner >= 0) counts[owner] = (counts[owner] ?? 0) + 1
  }
  return {
    ...(owners.length <= ownersShownUpTo && { owners: [...owners] }),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    counts,
  }
}

function lookup(command: Command): object {
  const maglev = build(command)
  const attempt = field(command, 'attempt').optional(readNumber) ?? 0
  return { ids: field(command, 'keys').list((key) => maglev.lookup(readKey(key), attempt) ?? null) }
}

function replicas(command: Command): object {
  const maglev = build(command)
  return { ids: maglev.replicas(readKey(field(command, 'key')), readNumber(field(command, 'n'))) }
}

function plan(command: Command): object {
  const maglev = build(command)
  const change = field(command, 'change')
  const read = readBackend(readMode(command))
  const add = change.field('add').optional((list) => list.list(read))
  const remove = change.field('remove').optional((list) => list.list((id) => id.string()))
  const weight = change.field('weight').optional((weights) => weights.record(readNumber))
  const health = change.field('unavailable').optional(readUnavailable)
  const { changed, ideal, collateral } = maglev.plan({
    ...(add && { add }),
    ...(remove && { remove }),
    ...(weight && { weight }),
    ...(health && { health }),
  })
  return { changed, ideal, collateral }
}

function build(command: Command): Maglev {
  const mode = readMode(command)
  const size = field(command, 'size').optional(readNumber)
  const seed = field(command, 'seed').optional((value) =>
    typeof value.value === 'number' ? value.uint64() : value.string(),
  )
  const zones = field(command, 'zones').optional((weights) => weights.record(readNumber))
  const maglev = new Maglev(field(command, 'backends').list(readBackend(mode)), {
    mode,
    ...(size !== undefined && { tableSize: size }),
    ...(seed !== undefined && { seed }),
    ...(zones && { zones }),
  })
  const health = field(command, 'unavailable').optional(readUnavailable)
  if (health) maglev.update({ health })
  return maglev
}

function readMode(command: Command): ModeName {
  return field(command, 'mode').optional((mode) => mode.oneOf(modes)) ?? 'stable'
}

function readBackend(mode: ModeName): (backend: Field) => string | Backend {
  const hashed = mode === 'katran-v1' || mode === 'katran-v2'
  return (backend) => {
    if (typeof backend.value === 'string') return backend.value
    const weight = backend.field('weight').optional(readNumber)
    const zone = backend.field('zone').optional((value) => value.string())
    const hash = hashed ? backend.field('hash').optional((value) => value.uint64()) : undefined
    return {
      id:
        hash === undefined
          ? backend.field('id').string()
          : (backend.field('id').optional((id) => id.string()) ?? `${hash}`),
      ...(weight !== undefined && { weight }),
      ...(zone !== undefined && { zone }),
      ...(hash !== undefined && { hash }),
    }
  }
}

function readUnavailable(ids: Field): Record<string, 'unhealthy'> {
  return Object.fromEntries(ids.list((id) => [id.string(), 'unhealthy']))
}

/** Numbers go to the package as they stand, what is none as NaN: judging them is its part, and so are the codes. */
function readNumber({ value }: Field): number {
  return typeof value === 'number' ? value : Number.NaN
}

function readKey(key: Field): Key {
  const { value } = key
  if (typeof value === 'string') return value
  if (typeof value === 'object' && value !== null && 'hex' in value) return key.field('hex').bytes()
  return key.field('uint64').uint64()
}
