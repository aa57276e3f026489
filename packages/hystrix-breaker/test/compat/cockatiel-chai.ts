// Required by mocha: the assertions that cockatiel's suite is written with.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suiteFolder } from './cockatiel-suite-folder.ts'

const require = createRequire(join(suiteFolder(), 'package.json'))
const load = (name: string) => import(pathToFileURL(require.resolve(name)).href)
const [chai, chaiAsPromised, sinonChai] = await Promise.all(
  ['chai', 'chai-as-promised', 'sinon-chai'].map(load),
)
chai.use(sinonChai.default)
chai.use(chaiAsPromised.default)
