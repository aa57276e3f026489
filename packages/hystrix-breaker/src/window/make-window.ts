import type { WindowSettings } from '../settings.ts'
import { CountWindow } from './count-window.ts'
import { TimeWindow } from './time-window.ts'
import type { OutcomeWindow } from './window.ts'

export function makeWindow(window: WindowSettings): OutcomeWindow {
  return window.type === 'time' ? new TimeWindow(window.size, window.buckets) : new CountWindow(window.size)
}
