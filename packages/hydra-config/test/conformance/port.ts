import { type Command, field, servePort } from '@loadbearing/harness/conformance'
import { parseOverride } from '@loadbearing/hydra-config'
import { tagElement } from './tag.ts'

await servePort({ override })

function override(command: Command): object {
  const { key, package: ofPackage, type, value } = parseOverride(field(command, 'text').string())
  return { key, package: ofPackage ?? null, type, value: tagElement(value) }
}
