import { isResilienceError } from '@loadbearing/hystrix-breaker'

/** What a promise is rejected with; of this package's errors the code. What it gives, where it is not. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    return isResilienceError(error) ? error.code : error
  }
}

export const never = (): Promise<never> => new Promise<never>(() => {})

export const broken: Error = new Error('broken')
