// Compares what is in a case's buffers with what the reference expects.

/** The differences, in sentences. */
export async function differences(replay, { numbers, peak, untouched }) {
    const found = [];
    const bytes = new Map();
    for (const { buffer } of [...numbers, ...untouched]) {
        if (!bytes.has(buffer)) bytes.set(buffer, await replay.read(buffer));
    }
    numbers.forEach((expected, index) => {
        const words = reader(bytes.get(expected.buffer), expected.format);
        const got = (i) => (expected.at ? expected.at[i].reduce((sum, at) => sum + words(at), 0) : words(expected.begin + i * words.size));
        const wrong = expected.want.findIndex((want, i) => !isClose(got(i), want, expected));
        if (wrong >= 0) {
            found.push(`${expected.what}, number ${wrong} of ${expected.want.length}: ${got(wrong)}, the reference says ${expected.want[wrong]}`);
        }
        if (peak?.[0] === index) {
            const largest = expected.want.reduce((largest, _, i) => Math.max(largest, Math.abs(got(i))), 0);
            const told = reader(bytes.get('segloss result'), 'f32')(peak[1]);
            if (told !== largest) found.push(`the gradient's peak is ${told}, its largest magnitude ${largest}`);
        }
    });
    for (const { buffer, begin, end } of untouched) {
        const [before, after] = [replay.contents(buffer), new Uint8Array(bytes.get(buffer))];
        const changed = after.findIndex((byte, i) => byte !== before[i] && (i < begin || i >= end));
        if (changed >= 0) found.push(`byte ${changed} of ${buffer}, where there is no output, was overwritten`);
    }
    return found;
}

function isClose(got, want, { absolute, relative, least }) {
    if (want === null) return Number.isNaN(got);
    return Math.abs(got - want) <= absolute + Math.max(relative * Math.abs(want), least);
}

/** Reads numbers of a format at bytes. */
function reader(bytes, format) {
    const view = new DataView(bytes);
    const read = {
        u32: (at) => view.getUint32(at, true),
        f32: (at) => view.getFloat32(at, true),
        f16: (at) => half(view.getUint16(at, true)),
        bf16: (at) => bfloat(view.getUint16(at, true)),
    }[format];
    read.size = format.endsWith('16') ? 2 : 4;
    return read;
}

function half(bits) {
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

function bfloat(bits) {
    return new Float32Array(new Uint32Array([bits << 16]).buffer)[0];
}
