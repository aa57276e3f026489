export {
  CircuitBreaker,
  type CircuitBreakerDecorator,
  type CircuitBreakerOptions,
  currentCall,
} from './circuit-breaker-decorator.ts'
export { ResilienceErrorInterceptor } from './nestjs-interceptor.ts'
