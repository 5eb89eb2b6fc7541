import { Catch, type ExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';

/** Hands what a bus handler threw to the strategy as it is: Nest's own filter would turn every failure into "Internal server error". */
@Catch()
export class FaultFilter implements ExceptionFilter {
  catch(exception: unknown): Observable<never> {
    return throwError(() => exception);
  }
}
