// Does on a WebGPU device what a trace of wgpu's says was asked of one.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What cases share: layouts and pipelines that are alike, which take longest to make. */
export class Made {
    constructor(device) {
        this.device = device;
        this.layouts = new Map();
        this.pipelines = new Map();
        /** The linked shaders that were dispatched. */
        this.ran = new Set();
        /** The same with their overrides and bindings. */
        this.ranPipelines = new Set();
    }

    layout(entries) {
        const key = JSON.stringify(entries);
        return once(this.layouts, key, () => ({ key, layout: this.device.createBindGroupLayout({ entries }) }));
    }

    /** Of a linked shader with its overrides and bindings; compiled when a case dispatches it. */
    pipeline(code, stage, layout) {
        const { entry_point: entryPoint, constants } = stage;
        const key = JSON.stringify([code, entryPoint, Object.entries(constants).sort(), layout.key]);
        return once(this.pipelines, key, () => ({ key, code, layout, entryPoint, constants }));
    }

    compiled(pipeline) {
        const { code, layout, entryPoint, constants } = pipeline;
        pipeline.compiled ??= this.device.createComputePipeline({
            layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout.layout] }),
            compute: { module: this.device.createShaderModule({ code: withDirectives(code) }), entryPoint, constants },
        });
        return pipeline.compiled;
    }
}

function once(map, key, make) {
    if (!map.has(key)) map.set(key, make());
    return map.get(key);
}

/** What WebGPU proper wants in front of a shader with subgroups, and naga does not know. */
function withDirectives(code) {
    return usesSubgroups(code) ? `enable subgroups;\nrequires subgroup_id;\n${code}` : code;
}

export function usesSubgroups(code) {
    return code.includes('subgroupAdd(');
}

/** A case on a device: `run` does it, `read` says what is in its buffers afterwards. */
export class Replay {
    constructor(made, folder, actions) {
        this.made = made;
        this.device = made.device;
        this.folder = folder;
        this.actions = actions;
        /** By what the trace calls them. */
        this.objects = new Map();
        /** With what they were filled with. */
        this.buffers = [];
    }

    run() {
        for (const action of this.actions) {
            const [name, value] = typeof action === 'string' ? [action] : Object.entries(action)[0];
            const perform = actions[name];
            if (!perform) throw new Error(`the trace has an action that this script does not know: ${name}`);
            perform.call(this, value);
        }
    }

    /** The bytes of the buffer with this label. */
    async read(label) {
        const { buffer } = this.labelled(label);
        const mappable = buffer.usage & GPUBufferUsage.MAP_READ ? buffer : this.#copied(buffer);
        await mappable.mapAsync(GPUMapMode.READ);
        const bytes = mappable.getMappedRange().slice(0);
        mappable.unmap();
        return bytes;
    }

    /** What the buffer with this label was filled with. */
    contents(label) {
        return this.labelled(label).contents;
    }

    labelled(label) {
        const found = this.buffers.filter(({ buffer }) => buffer.label === label);
        if (found.length !== 1) throw new Error(`${found.length} buffers are called ${label}`);
        return found[0];
    }

    destroy() {
        for (const { buffer } of this.buffers) buffer.destroy();
    }

    #copied(buffer) {
        const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
        const copy = this.device.createBuffer({ size: buffer.size, usage });
        const encoder = this.device.createCommandEncoder();
        encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
        this.device.queue.submit([encoder.finish()]);
        return copy;
    }

    get(id) {
        const found = this.objects.get(JSON.stringify(id));
        if (!found) throw new Error(`the trace uses ${JSON.stringify(id)} before it is made`);
        return found;
    }

    set(id, object) {
        this.objects.set(JSON.stringify(id), object);
    }

    file({ File: name }) {
        return readFileSync(join(this.folder, name));
    }
}

/** What happens to a device that no case asks for: objects live until the case ends. */
function nothing() {}

const actions = {
    Init: nothing,
    DropBuffer: nothing,
    DropBindGroupLayout: nothing,
    DropPipelineLayout: nothing,
    DropBindGroup: nothing,
    DropShaderModule: nothing,
    DropComputePipeline: nothing,

    CreateBuffer([id, { label, size, usage }]) {
        const made = { buffer: this.device.createBuffer({ label: label ?? '', size, usage: flags(usage) }) };
        this.set(id, made);
        this.buffers.push(made);
    },

    WriteBuffer({ id, data, offset }) {
        const [made, bytes] = [this.get(id), this.file(data)];
        made.contents ??= bytes;
        this.device.queue.writeBuffer(made.buffer, offset, bytes);
    },

    CreateBindGroupLayout([id, { entries }]) {
        this.set(id, this.made.layout(entries.map(layoutEntry)));
    },

    GetComputePipelineBindGroupLayout({ id, pipeline }) {
        this.set(id, this.get(pipeline).layout);
    },

    CreatePipelineLayout([id, { bind_group_layouts: [layout] }]) {
        this.set(id, this.get(layout));
    },

    CreateShaderModule({ id, data }) {
        this.set(id, this.file(data).toString());
    },

    CreateComputePipeline({ id, desc: { layout, stage } }) {
        this.set(id, this.made.pipeline(this.get(stage.module), stage, this.get(layout)));
    },

    CreateBindGroup([id, { layout, entries }]) {
        const resource = ({ buffer, offset, size }) => ({ buffer: this.get(buffer).buffer, offset, size: size ?? undefined });
        this.set(id, this.device.createBindGroup({
            layout: this.get(layout).layout,
            entries: entries.map((entry) => ({ binding: entry.binding, resource: resource(entry.resource.Buffer) })),
        }));
    },

    Submit([, commands]) {
        const encoder = this.device.createCommandEncoder();
        for (const command of commands) {
            const [name, value] = Object.entries(command)[0];
            if (!encoded[name]) throw new Error(`the trace has a command that this script does not know: ${name}`);
            encoded[name].call(this, encoder, value);
        }
        this.device.queue.submit([encoder.finish()]);
    },
};

const encoded = {
    ClearBuffer(encoder, { dst, offset, size }) {
        encoder.clearBuffer(this.get(dst).buffer, offset, size ?? undefined);
    },

    CopyBufferToBuffer(encoder, { src, src_offset, dst, dst_offset, size }) {
        encoder.copyBufferToBuffer(this.get(src).buffer, src_offset, this.get(dst).buffer, dst_offset, size ?? undefined);
    },

    RunComputePass(encoder, { pass: { commands } }) {
        const pass = encoder.beginComputePass();
        let current;
        for (const command of commands) {
            const [name, value] = Object.entries(command)[0];
            if (name === 'SetPipeline') {
                current = this.get(value);
                pass.setPipeline(this.made.compiled(current));
            } else if (name === 'SetBindGroup') {
                pass.setBindGroup(value.index, this.get(value.bind_group));
            } else if (name === 'DispatchWorkgroups') {
                pass.dispatchWorkgroups(...value);
                if (Math.min(...value) > 0) {
                    this.made.ran.add(current.code);
                    this.made.ranPipelines.add(current.key);
                }
            } else {
                throw new Error(`the trace has a command of a pass that this script does not know: ${name}`);
            }
        }
        pass.end();
    },
};

/** Usages by their names, as wgpu writes them. */
function flags(usage) {
    return usage.split(' | ').reduce((bits, name) => bits | GPUBufferUsage[name], 0);
}

function layoutEntry({ binding, ty: { Buffer: { ty, min_binding_size } } }) {
    const kind = ty === 'Uniform' ? 'uniform' : ty.Storage.read_only ? 'read-only-storage' : 'storage';
    const buffer = { type: kind, minBindingSize: min_binding_size ?? 0 };
    return { binding, visibility: GPUShaderStage.COMPUTE, buffer };
}
