import { compareWithOracle } from '@loadbearing/harness/oracle'
import { isHydraConfigError, parseOverride } from '@loadbearing/hydra-config'
import { overrideProblem } from '../../src/cli/report.ts'
import type { Questions } from './comparisons.ts'
import { overrideText } from './override-cases.ts'

/** What is told of an override that cannot be read; '' of one that can. */
type Told = string

const page = '\nSee https://hydra.cc/docs/1.2/advanced/override_grammar/basic for details'

/** The words of our command line and of Hydra's for overrides that neither can read. */
export const messageComparison: Questions = {
  name: 'messages',
  what: "Overrides that cannot be read, of the same kinds: what the command line says of them, ANTLR's words included, to the letter",
  judge: 'hydra-1.3',
  share: 1,
  compare: (oracle, seed, runs) =>
    compareWithOracle<string, Told, Told>({
      arbitrary: overrideText,
      ours: ourMessage,
      theirs: async (text) => {
        const answer = (await oracle.ask({ op: 'override', text })) as { error?: { message: string } }
        return answer.error?.message ?? ''
      },
      equal: (ours, theirs) => ours === theirs,
      known: [
        {
          reason: "Python's assertions have no text; ours say what is wrong",
          covers: (_, ours, theirs) =>
            theirs.includes('AssertionError while evaluating') && ours.startsWith(theirs.replace(page, '')),
        },
        {
          reason: 'of an override of more than 200 characters we tell the beginning',
          covers: (text, ours) => text.length > 200 && ours.includes('…'),
        },
        {
          reason: 'Python prints the objects that it cannot sort',
          covers: (_, __, theirs) => theirs.includes('Invalid arguments: ('),
        },
      ],
      seed,
      runs,
      maxDifferences: 5,
    }),
}

function ourMessage(text: string): Told {
  try {
    parseOverride(text)
    return ''
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    return overrideProblem(error.problem, text)
  }
}
