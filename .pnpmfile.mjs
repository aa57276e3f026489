/** The condition under which the workspace runs from sources; the sources are not packed, so it is not published. */
const SOURCE_CONDITION = '@loadbearing/source'

export const hooks = {
  beforePacking(manifest) {
    for (const target of Object.values(manifest.exports ?? {})) {
      if (typeof target === 'object') delete target[SOURCE_CONDITION]
    }
    return manifest
  },
}
