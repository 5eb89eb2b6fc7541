import { NodeUnfitError } from '../ports/errors.js';

/** Why a virtual environment cannot be used on this node until somebody changes something: what, and who can. */
export const unfit = (message: string, hint: string): NodeUnfitError => new NodeUnfitError('CODE_VENV', message, hint);

export const notThere = (folder: string): NodeUnfitError =>
  unfit(
    `there is no folder ${folder}`,
    `make the virtual environment on the nodes that are to run such jobs (python3 -m venv ${folder}), or on a file system that they share`,
  );

export const noVenv = (folder: string, why: string): NodeUnfitError =>
  unfit(`${folder} is no virtual environment: ${why}`, 'give the folder that python3 -m venv made');

/** `folder`: what to permit. */
export const closed = (what: string, folder: string): NodeUnfitError =>
  unfit(
    `scripts may not read ${what}`,
    `whoever runs the node permits it by DAS_SCRIPT_READS: add ${folder}, or a folder above it, and start the node again`,
  );

/** Its interpreter was tried where scripts run, and said these words. */
export const venvDoesNotRun = (folder: string, words: string): NodeUnfitError =>
  unfit(
    `the Python of the virtual environment ${folder} does not run where scripts run: ${words}`,
    'it must be Python 3.9 or newer; the account of scripts must be able to read and run it, and the installation that it is made of',
  );
