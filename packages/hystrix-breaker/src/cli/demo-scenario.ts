import type { Scenario } from './scenario.ts'
import { readScenario } from './scenario.ts'

/** What `serve --demo` shows, over and over: each kind of trouble once in two minutes. */
export function demoScenario(): Scenario {
  return readScenario({
    duration: '120s',
    breakers: {
      GetUserAccount: {
        options: { group: 'Accounts', sleepWindow: '4s' },
        steps: [
          { at: 0, rate: 80, takes: [5, 40], fails: 0.002 },
          { at: '30s', fails: 0.9 },
          { at: '50s', fails: 0.002 },
        ],
      },
      CreditCard: {
        options: { group: 'Payments', timeout: '500ms', bulkhead: { max: 8, queue: 8 }, sleepWindow: '5s' },
        fallback: true,
        steps: [
          { at: 0, rate: 25, takes: [40, 180], fails: 0.01 },
          { at: '40s', hangs: 0.7 },
          { at: '70s', hangs: 0 },
        ],
      },
      ListPayments: {
        options: { group: 'Payments', slow: { over: '300ms', rate: 0.5 } },
        steps: [
          { at: 0, rate: 12, takes: [30, 120], fails: 0.08 },
          { at: '60s', takes: [250, 700] },
          { at: '90s', takes: [30, 120] },
        ],
      },
      SearchInventory: {
        options: { group: 'Inventory' },
        steps: [{ at: 0, rate: 150, takes: [1, 8] }],
      },
      Recommendations: {
        options: { group: 'Recommendations', errorThreshold: 0.6 },
        fallback: true,
        steps: [{ at: 0, rate: 30, takes: [80, 400], fails: 0.25 }],
      },
      SendMail: {
        options: { group: 'Notifications' },
        steps: [
          { at: 0, rate: 3, takes: [100, 300] },
          { at: '80s', do: 'force-open' },
          { at: '100s', do: 'reset' },
        ],
      },
    },
  })
}
