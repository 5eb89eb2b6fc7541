import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigError, type ServiceContext, commonConfig, loadConfig, loadTokens } from '@das/platform';
import { frontConfig } from './front/config.js';
import { FrontModule } from './front/front.module.js';
import { LeaderModule } from './leader/leader.module.js';

/** The front door on every node, and the leader's side where this node leads. */
@Module({})
export class JobSplitterModule {
  /** @throws ConfigError for settings that do not fit, among them a missing token: the door is never left open. */
  static of(context: ServiceContext): DynamicModule {
    const front = FrontModule.with(loadConfig(frontConfig, context.env), restToken(context));
    return { module: JobSplitterModule, imports: [front, LeaderModule] };
  }
}

function restToken(context: ServiceContext): string {
  const { rest } = loadTokens(loadConfig(commonConfig, context.env));
  if (rest !== undefined && rest !== '') return rest;
  throw new ConfigError([
    {
      variable: 'DAS_TOKEN',
      message: 'required: the token that REST asks for; or DAS_TOKEN_FILE, a file that holds it',
    },
  ]);
}
