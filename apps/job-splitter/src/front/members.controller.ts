import { Controller, Get, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import type { KeysView, MembersView } from '@das/contracts';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import type { Request } from 'express';
import { readJson } from './body.js';
import { Cluster } from './cluster.js';
import { GossipKeyRotation } from './gossip-key-rotation.js';
import { noQuery, parseQuery } from './query.js';

/** One key and one word (bytes). */
const bodyBytesMax = 1_024;

/** Who is here as gossip sees it, and the keys of gossip. */
@Controller('v1')
export class MembersController {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(Cluster) private readonly cluster: Cluster,
    @Inject(GossipKeyRotation) private readonly rotation: GossipKeyRotation,
  ) {}

  @Get('members')
  members(@Query() query: unknown): Promise<MembersView> {
    parseQuery(noQuery, query);
    return this.cluster.membersView();
  }

  @Get('gossip/keys')
  keys(@Query() query: unknown): Promise<KeysView> {
    parseQuery(noQuery, query);
    return this.rotation.list();
  }

  @Post('gossip/keys')
  @HttpCode(200)
  async change(@Req() request: Request): Promise<KeysView> {
    return this.rotation.change(await readJson(request, this.context.clock, bodyBytesMax));
  }
}
