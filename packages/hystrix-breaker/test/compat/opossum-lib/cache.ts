export { MemoryCache as 'module.exports' } from '../../../src/compat/opossum/memory-cache.ts'
