import { bundle, edgeCode } from './bundle.ts'

/** Prints the sizes of bundles for the edge, gzipped, and what each folder of `src` adds to the smallest before that. */
for (const [name, code] of Object.entries(edgeCode)) {
  const { gzipped } = await bundle(code)
  console.log(`${gzipped} bytes gzipped\t${name}`)
}
const { modules } = await bundle(edgeCode.compose)
const folders = Map.groupBy(modules, ([path]) =>
  path.includes('node_modules') ? 'node_modules' : path.split('/', 1)[0],
)
for (const [folder, parts] of folders) {
  console.log(`${parts.reduce((sum, [, bytes]) => sum + bytes, 0)}\t${folder}`)
}
