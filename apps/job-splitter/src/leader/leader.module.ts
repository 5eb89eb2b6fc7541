import { Module } from '@nestjs/common';
import { LeaderShell } from './leader.shell.js';

/** Assigns parts while this node leads. SERVICE_CONTEXT comes from the root module (global). */
@Module({ providers: [LeaderShell] })
export class LeaderModule {}
