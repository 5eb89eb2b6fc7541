import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { MemberlistPorts } from '@das/memberlist';
import { type GossipNetwork, type GossipPlace, PortInUseError } from './gossip-network.js';
import type { Notes } from './notes.js';

/**
 * Opens the network: at the given port, else at the one of the last start, which `file` keeps, so that a restarted node is found where it
 * was; when that is taken, at any.
 * @throws StartError for a given port that is in use.
 */
export async function openGossip(
  network: GossipNetwork,
  place: GossipPlace,
  options: { readonly file: string; readonly newId: () => string; readonly notes: Notes },
): Promise<MemberlistPorts> {
  const { file, newId, notes } = options;
  if (place.port !== 0) return network.open(place, newId);
  const last = await lastPort(file);
  const ports = await openAgain(network, { ...place, port: last }, newId, notes);
  const { port } = ports.transport.address;
  if (place.advertise?.port === undefined && port !== last) await keep(file, port);
  return ports;
}

async function openAgain(
  network: GossipNetwork,
  place: GossipPlace,
  newId: () => string,
  notes: Notes,
): Promise<MemberlistPorts> {
  try {
    return await network.open(place, newId);
  } catch (error) {
    if (place.port === 0 || !(error instanceof PortInUseError)) throw error;
    notes.note(
      'portInUse',
      `the gossip port of the last start, ${place.port} on ${place.bind}, is in use; taking another`,
    );
    return network.open({ ...place, port: 0 }, newId);
  }
}

/** 0 when there was no last start, or the file is not one of ours. */
async function lastPort(file: string): Promise<number> {
  const port = Number(await readFile(file, 'utf8').catch(() => '0'));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
}

/** Not worth failing for: the next start takes another port then. */
async function keep(file: string, port: number): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o711 });
    await writeFile(`${file}.new`, `${port}\n`);
    await rename(`${file}.new`, file);
  } catch {
    return;
  }
}
