import { cilium } from './cilium.ts'
import { classic } from './classic.ts'
import { envoy } from './envoy.ts'
import { goMaglev } from './go-maglev.ts'
import { katran } from './katran.ts'
import type { Mode, ModeName, ModeSettings } from './mode.ts'
import { stable } from './stable.ts'

/** How each kind of table is made, by name. */
export const modes: Readonly<Record<ModeName, (settings: ModeSettings) => Mode>> = {
  stable,
  classic,
  envoy,
  cilium,
  'katran-v1': (settings) => katran('katran-v1', settings),
  'katran-v2': (settings) => katran('katran-v2', settings),
  'go-maglev': goMaglev,
}
