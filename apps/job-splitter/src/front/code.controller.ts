import { Controller, Get, Inject, Param } from '@nestjs/common';
import { Fault, digestSchema } from '@das/contracts';
import { CodeBundles, type StoredBundle } from './code-bundles.js';

/** Whether a code bundle is stored: who has it need not send it again. */
@Controller('v1/code')
export class CodeController {
  constructor(@Inject(CodeBundles) private readonly bundles: CodeBundles) {}

  @Get(':digest')
  find(@Param('digest') digest: string): Promise<StoredBundle> {
    const parsed = digestSchema.safeParse(digest);
    if (!parsed.success)
      throw new Fault('REQUEST_INVALID', 'the digest of a bundle is 64 characters of 0-9a-f', { field: 'digest' });
    return this.bundles.find(parsed.data);
  }
}
