export { type DirOptions, fromDir } from './dir.ts'
