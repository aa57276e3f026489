import { describe, expect, test } from 'vitest'
import {
  assertLinearizable,
  History,
  isHarnessError,
  type LockInput,
  lock,
  type RegisterInput,
  register,
} from '../../src/history/index.ts'
import { type Simulation, simulate } from '../../src/index.ts'

type Store = { read(): Promise<number>; write(value: number): Promise<void> }
type Locks = { acquire(owner: string): Promise<boolean>; release(owner: string): Promise<boolean> }

/** Each client makes its calls with pauses; the history must be that of one register. */
function useRegister(makeStore: (simulation: Simulation) => Store): Promise<unknown> {
  return simulate({ seed: 1, runs: 200 }, async (simulation) => {
    const store = makeStore(simulation)
    const history = new History<RegisterInput<number>, number | undefined>()
    const clients = ['a', 'b', 'c'].map((client, index) =>
      simulation.spawn(client, async () => {
        for (let round = 1; round <= 3; round++) {
          await simulation.step('next')
          const value = 10 * index + round
          await history.record(client, { op: 'write', value }, async () => {
            await store.write(value)
            return undefined
          })
          await simulation.step('next')
          await history.record(client, { op: 'read' }, () => store.read())
        }
      }),
    )
    await Promise.all(clients)
    assertLinearizable(history.operations, register(0))
  })
}

function useLock(makeLocks: (simulation: Simulation) => Locks): Promise<unknown> {
  return simulate({ seed: 1, runs: 200 }, async (simulation) => {
    const locks = makeLocks(simulation)
    const history = new History<LockInput, boolean>()
    const clients = ['a', 'b', 'c'].map((owner) =>
      simulation.spawn(owner, async () => {
        for (let round = 0; round < 3; round++) {
          if (await history.record(owner, { op: 'acquire', owner }, () => locks.acquire(owner))) {
            await simulation.step('work')
            await history.record(owner, { op: 'release', owner }, () => locks.release(owner))
          }
        }
      }),
    )
    await Promise.all(clients)
    assertLinearizable(history.operations, lock)
  })
}

const violated = expect.toSatisfy(
  (error) =>
    isHarnessError(error) &&
    error.code === 'SIMULATION_FAILED' &&
    isHarnessError(error.cause) &&
    error.cause.code === 'HISTORY_VIOLATED',
)

describe('a register', () => {
  test('that works passes', async () => {
    const working = useRegister(({ step }) => {
      let held = 0
      return {
        async read() {
          await step('to the store')
          const value = held
          await step('back')
          return value
        },
        async write(value) {
          await step('to the store')
          held = value
          await step('back')
        },
      }
    })
    await expect(working).resolves.toMatchObject({ runs: 200 })
  })

  test('that answers stale reads is caught', async () => {
    const broken = useRegister(({ step }) => {
      let replica = 0
      const replicate = async (value: number): Promise<void> => {
        await step('replication')
        replica = value
      }
      return {
        async read() {
          await step('to the replica')
          return replica
        },
        async write(value) {
          await step('to the primary')
          // Answered before the replica has it.
          void replicate(value)
        },
      }
    })
    await expect(broken).rejects.toThrow(violated)
  })

  test('that loses a write is caught', async () => {
    const broken = useRegister(({ step, random }) => {
      let held = 0
      return {
        async read() {
          await step('to the store')
          return held
        },
        async write(value) {
          await step('to the store')
          if (!random.boolean(0.1)) held = value
        },
      }
    })
    await expect(broken).rejects.toThrow(violated)
  })
})

describe('a lock', () => {
  test('that works passes', async () => {
    const working = useLock(({ step }) => {
      let holder: string | undefined
      return {
        async acquire(owner) {
          await step('to the server')
          const free = holder === undefined
          holder ??= owner
          await step('back')
          return free
        },
        async release(owner) {
          await step('to the server')
          const held = holder === owner
          if (held) holder = undefined
          return held
        },
      }
    })
    await expect(working).resolves.toMatchObject({ runs: 200 })
  })

  test('that is given twice is caught', async () => {
    const broken = useLock(({ step }) => {
      let holder: string | undefined
      return {
        async acquire(owner) {
          const free = holder === undefined
          await step('between look and take')
          if (free) holder = owner
          return free
        },
        async release(owner) {
          const held = holder === owner
          if (held) holder = undefined
          return held
        },
      }
    })
    await expect(broken).rejects.toThrow(violated)
  })
})
