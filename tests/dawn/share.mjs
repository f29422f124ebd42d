// Runs a share of the cases on Dawn, as a process of its own, and tells who started it what it found: node share.mjs CASES K N
//
// Not threads, which Dawn's module for Node does not know, and not its asynchronous compilation, for which Node waits busily.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { create, globals } from 'webgpu';
import { differences } from './compare.mjs';
import { Made, Replay, usesSubgroups } from './replay.mjs';

Object.assign(globalThis, globals);

const [casesFolder, share, shares] = process.argv.slice(2);
// Must live as long as its devices.
const gpu = create([]);
const adapter = await gpu.requestAdapter();
if (!adapter) await tell({ adapter: null });
const hasSubgroups = adapter.features.has('subgroups');
const device = await adapter.requestDevice({ requiredFeatures: hasSubgroups ? ['subgroups'] : [] });
const complaints = [];
device.addEventListener('uncapturederror', ({ error }) => complaints.push(error.message));
device.lost.then(({ message }) => complaints.push(`the device is lost: ${message}`));

const made = new Made(device);
const counts = { agree: 0, differ: 0, skipped: 0 };
const mine = readdirSync(casesFolder).sort().filter((_, index) => index % shares === Number(share));
for (const [index, file] of mine.entries()) {
    // It takes minutes.
    if (index && index % 50 === 0) console.log(`${index} of ${mine.length} cases of process ${share} have run`);
    counts[await attempt(file)] += 1;
}
await device.queue.onSubmittedWorkDone();
for (const complaint of complaints) console.error(`Dawn complains: ${complaint}`);

const { vendor, architecture, description, subgroupMinSize, subgroupMaxSize } = adapter.info;
const subgroups = hasSubgroups ? `subgroups of ${subgroupMinSize} to ${subgroupMaxSize}` : 'no subgroups';
const hash = (text) => createHash('sha256').update(text).digest('hex');
await tell({
    adapter: `${vendor} ${architecture} (${description}), ${subgroups}`,
    hasSubgroups,
    counts,
    complaints: complaints.length,
    shaders: [...made.ran].map(hash),
    pipelines: [...made.ranPipelines].map(hash),
    files: [...new Set([...made.ran].flatMap(filesOf))],
});

async function tell(found) {
    await new Promise((told) => process.send(found, told));
    process.exit(0);
}

/** Runs a case and says what became of it. */
async function attempt(file) {
    const folder = join(casesFolder, file);
    if (!hasSubgroups && needsSubgroups(folder)) return 'skipped';
    const { name, actions, expectation } = JSON.parse(readFileSync(join(folder, 'case.json')));
    const replay = new Replay(made, folder, actions);
    const kinds = ['validation', 'out-of-memory', 'internal'];
    kinds.forEach((kind) => device.pushErrorScope(kind));
    replay.run();
    const errors = await Promise.all(kinds.map(() => device.popErrorScope()));
    const found = errors.filter(Boolean).map((error) => error.message);
    if (!found.length) found.push(...await differences(replay, expectation));
    replay.destroy();
    if (found.length) console.error(`${file} ${name}:\n    ${found.join('\n    ')}`);
    return found.length ? 'differ' : 'agree';
}

function needsSubgroups(folder) {
    const shaders = readdirSync(folder).filter((file) => file.endsWith('.wgsl'));
    return shaders.some((file) => usesSubgroups(readFileSync(join(folder, file), 'utf8')));
}

/** The WGSL files that a shader was linked of. */
function filesOf(code) {
    return [...code.matchAll(/^\/\/ ---- (\S+\.wgsl)$/gm)].map((match) => match[1]);
}
