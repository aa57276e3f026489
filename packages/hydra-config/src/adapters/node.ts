export { type DirOptions, fromDir } from './dir.ts'
export { fromPackage, type PackageOptions, resolveSource } from './package.ts'
