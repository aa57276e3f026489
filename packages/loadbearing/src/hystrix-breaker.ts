export * from '@loadbearing/hystrix-breaker'
