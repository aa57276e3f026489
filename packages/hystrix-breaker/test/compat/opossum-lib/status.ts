export { Status as 'module.exports' } from '../../../src/compat/opossum/status.ts'
