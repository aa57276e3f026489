export { HarnessError, type HarnessErrorCode, isHarnessError } from './errors.ts'
export type { Clock, Random } from './simulate/ports.ts'
export type { SeededRandom } from './simulate/seeded-random.ts'
export {
  type SimulatedClock,
  type SimulateOptions,
  type Simulation,
  type SimulationResult,
  simulate,
} from './simulate/simulate.ts'
export type { Task } from './simulate/task.ts'
