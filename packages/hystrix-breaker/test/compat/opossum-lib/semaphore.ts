export { semaphore as 'module.exports' } from '../../../src/compat/opossum/semaphore.ts'
