import { compileCondition } from '../condition/condition.ts'
import { validateDsl } from '../dsl/validate-dsl.ts'
import { isZanzibarError, type Position, ZanzibarError } from '../errors.ts'
import { v2Differences } from '../graph/v2-differences.ts'
import { checkedSemantics } from '../graph/weighted.ts'
import { openFgaLimits } from '../limits.ts'
import { type Semantics, typeSystem } from '../model/type-system.ts'
import { validateModel } from '../model/validate-model.ts'
import { objectsForNoTool } from '../store-file/tool-ids.ts'
import type { Answer } from './questions.ts'
import { isStoreFile, loadStore, modelAt } from './read-store-file.ts'

/**
 * What is wrong with models, one line for each place. With the semantics of OpenFGA's v2 also what these may answer
 * otherwise than v1, which is nothing wrong.
 */
export async function lint(paths: readonly string[], semantics?: Semantics): Promise<Answer> {
  if (paths.length === 0) throw new ZanzibarError('invalid_option', 'say which files: FILE…')
  const lines: string[] = []
  const notes: string[] = []
  for (const path of paths) {
    const found = await problemsOf(path, semantics)
    lines.push(...found)
    if (found.length === 0 && semantics === 'openfga-v2') notes.push(...(await differencesOf(path)))
  }
  const failed = lines.length > 0
  return { lines: [...(failed ? lines : [`${paths.length} without a problem`]), ...notes], failed }
}

async function differencesOf(path: string): Promise<string[]> {
  const { model } = await modelAt(path)
  return v2Differences(model).map(
    ({ reason, type, relation, user }) => `${path}: ${type}#${relation} of ${user} may differ: ${reason}`,
  )
}

async function problemsOf(path: string, semantics: Semantics | undefined): Promise<string[]> {
  try {
    const loaded = await modelAt(path)
    const positions = dslPositions(loaded.text)
    if (positions.length > 0) return placed(loaded.path, positions)
    validateModel(loaded.model, openFgaLimits, compileCondition)
    checkedSemantics(typeSystem(loaded.model, compileCondition, semantics))
    return isStoreFile(path) ? await idProblems(path) : []
  } catch (error) {
    if (!isZanzibarError(error)) throw error
    return error.positions.length > 0 ? placed(path, error.positions) : [`${path}: ${error.message}`]
  }
}

async function idProblems(path: string): Promise<string[]> {
  const { tuples, testTuples } = await loadStore(path)
  return objectsForNoTool([...tuples, ...testTuples.flat()]).map(
    (object) => `${path}: OpenFGA's tools refuse the id of ${object}`,
  )
}

/** None where the text is in JSON, or a list of modules. */
function dslPositions(text: string): readonly Position[] {
  return /^\s*model\b/m.test(text) && !text.trimStart().startsWith('{') ? validateDsl(text) : []
}

function placed(path: string, positions: readonly Position[]): string[] {
  return positions.map(
    ({ message, line, column }) => `${path}:${line.start + 1}:${column.start + 1}: ${message}`,
  )
}
