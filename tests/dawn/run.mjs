// Runs recorded cases on Dawn and compares with the reference: node run.mjs CASES SHADERS
//
// Fails where a case differs, Dawn complains, or a WGSL file took no part.

import { fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [casesFolder, shadersFolder] = process.argv.slice(2);
// Side by side, since compiling takes longest.
const shares = availableParallelism();
const found = await Promise.all(Array.from({ length: shares }, (_, share) => run(share)));
if (found.some(({ adapter }) => !adapter)) {
    fail('Dawn finds no adapter; the driver that VK_DRIVER_FILES names may be too old for it. SwiftShader is not, nor is the lavapipe of Mesa 25.');
}

const total = (number) => found.reduce((sum, share) => sum + number(share), 0);
const union = (list) => new Set(found.flatMap(list));
const [agree, differ, skipped] = ['agree', 'differ', 'skipped'].map((what) => total(({ counts }) => counts[what]));
const complaints = total((share) => share.complaints);
console.log(`Dawn on ${found[0].adapter}`);
if (skipped) console.log(`${skipped} cases need subgroups, which this adapter lacks`);
console.log(`${agree} cases agree with the reference, ${differ} do not`);
console.log(`${union(({ shaders }) => shaders).size} linked shaders ran, in ${union(({ pipelines }) => pipelines).size} pipelines`);
const uncovered = coverage(union(({ files }) => files), found[0].hasSubgroups);
process.exit(differ || complaints || uncovered || !agree ? 1 : 0);

/** What a process found that runs every so manieth case. */
function run(share) {
    const child = fork(join(dirname(fileURLToPath(import.meta.url)), 'share.mjs'), [casesFolder, share, shares]);
    return new Promise((resolve) => {
        let told;
        child.on('message', (message) => { told = message; });
        child.on('exit', () => (told ? resolve(told) : fail('a process that ran cases ended before it had told what it found')));
    });
}

/** Says which WGSL files took part, and returns how many did not without a reason. */
function coverage(ran, hasSubgroups) {
    const all = readdirSync(shadersFolder).filter((file) => file.endsWith('.wgsl'));
    const missing = all.filter((file) => !ran.has(file));
    const reason = (file) => (file === 'team_subgroup.wgsl' && !hasSubgroups ? 'this adapter has no subgroups' : null);
    console.log(`${all.length - missing.length} of ${all.length} WGSL files took part`);
    for (const file of missing) console.log(`    not ${file}: ${reason(file) ?? 'no case needs it'}`);
    return missing.filter((file) => !reason(file)).length;
}

function fail(why) {
    console.error(why);
    process.exit(1);
}
