//! What is wrong with a field: place, path, underlined text, message and help of every error.

use super::briefs;

/// One error, in a task whose first line is fine, or several.
type Case = (&'static str, &'static [&'static str]);

#[test]
fn every_error_of_a_field() {
    for (field, expected) in FIELDS {
        let text = format!(
            "[{{\"id\":\"me\",\"shell\":\"a\",\n{field}}},\n{{\"id\":\"a\",\"shell\":\"a\"}}]"
        );
        assert_eq!(briefs(&text), *expected, "{field}");
    }
}

#[rustfmt::skip] // One case per line can be compared; wrapped ones cannot.
const FIELDS: &[Case] = &[
    (r#""timeuot":1"#, &[r#"2:1 tasks[0].timeuot «"timeuot"» unknown field `timeuot` — did you mean `timeout`?"#]),
    (r#""deps":[]"#, &[r#"2:1 tasks[0].deps «"deps"» unknown field `deps` — did you mean `needs`?; help: `needs` is a list of ids, or of {"id": …, "when": …}"#]),
    (r#""after":["a"]"#, &[r#"2:1 tasks[0].after «"after"» unknown field `after` — did you mean `needs`?; help: `needs` is a list of ids, or of {"id": …, "when": …}"#]),
    (r#""depends_on":["a"]"#, &[r#"2:1 tasks[0].depends_on «"depends_on"» unknown field `depends_on` — did you mean `needs`?; help: `needs` is a list of ids, or of {"id": …, "when": …}"#]),
    (r#""group":"a""#, &[r#"2:1 tasks[0].group «"group"» unknown field `group` — did you mean `limit`?; help: `limit` names one of the document's `limits`"#]),
    (r#""groups":"a""#, &[r#"2:1 tasks[0].groups «"groups"» unknown field `groups` — did you mean `limit`?; help: `limit` names one of the document's `limits`"#]),
    (r#""kind":"a""#, &[r#"2:1 tasks[0].kind «"kind"» unknown field `kind`; help: `farm` runs commands; a program made with `farm::main!` runs tasks of its own kinds"#]),
    (r#""memory_limit":1"#, &[r#"2:1 tasks[0].memory_limit «"memory_limit"» unknown field `memory_limit` — did you mean `memory`?; help: `memory` is the most a task may hold, like "2GB" or "512MiB""#]),
    (r#""cpu_time":1"#, &[r#"2:1 tasks[0].cpu_time «"cpu_time"» unknown field `cpu_time` — did you mean `cpu`?; help: `cpu` is the processor time that a task may use, like "10m""#]),
    (r#""cpus":4"#, &[r#"2:1 tasks[0].cpus «"cpus"» unknown field `cpus`; help: processors cannot be reserved; `limit` names a cap on how many tasks run at once, `cpu` is a processor time"#]),
    (r#""memory":0"#, &[r#"2:10 tasks[0].memory «0» a limit of no memory at all; help: leave it out for no limit of memory"#]),
    (r#""memory":"2 GByte""#, &[r#"2:10 tasks[0].memory «"2 GByte"» unknown unit of memory `GByte` (units are B, kB, MB, GB, TB and KiB, MiB, GiB, TiB); help: write a number of bytes, or text such as "512MiB", "2GB""#]),
    (r#""memory":-1"#, &[r#"2:10 tasks[0].memory «-1» an amount of memory cannot be negative; help: write a number of bytes, or text such as "512MiB", "2GB""#]),
    (r#""memory":[]"#, &[r#"2:10 tasks[0].memory «[]» expected an amount of memory, found an array; help: write a number of bytes, or text such as "512MiB", "2GB""#]),
    (r#""cpu":0"#, &[r#"2:7 tasks[0].cpu «0» a limit of processor time of zero; help: leave it out for no limit of processor time"#]),
    (r#""stall":"0s""#, &[r#"2:9 tasks[0].stall «"0s"» a stall limit of zero; help: leave it out for no stall limit"#]),
    (r#""stall":1,"stdout":"null","stderr":"stdout""#, &[r#"1:2 tasks[0] «{» `stall` without output that is captured: nobody sees a sign of life; help: leave `stdout` or `stderr` at "capture", or use `timeout`"#]),
    (r#""wibble":1"#, &[r#"2:1 tasks[0].wibble «"wibble"» unknown field `wibble`; help: fields of your own start with `x-`"#]),
    (r#""command":["a"]"#, &[r#"2:1 tasks[0].command «"command"» a task has either `command` or `shell`, not both; also 1:13"#]),
    (r#""env":[]"#, &[r#"2:7 tasks[0].env «[]» expected an object of strings, found an array"#]),
    (r#""env":{"":"1","A=B":"1","C":"a\u0000","D":1,"D":2}"#, &[r#"2:8 tasks[0].env[""] «""» the name of a variable is not empty and has no `=` and no NUL byte"#, r#"2:15 tasks[0].env["A=B"] «"A=B"» the name of a variable is not empty and has no `=` and no NUL byte"#, r#"2:29 tasks[0].env.C «"a\u0000"» a NUL byte cannot be passed to a command"#, r#"2:43 tasks[0].env.D «1» expected a string, found a number; help: put it in double quotes"#, r#"2:45 tasks[0].env.D «"D"» `D` is given twice; also 2:39"#]),
    (r#""clear_env":"yes""#, &[r#"2:13 tasks[0].clear_env «"yes"» expected true or false, found a string"#]),
    (r#""cwd":"""#, &[r#"2:7 tasks[0].cwd «""» an empty path"#]),
    (r#""stdin":1"#, &[r#"2:9 tasks[0].stdin «1» expected text or an object, found a number; help: like "text", {"file": "path"} or {"json": …}"#]),
    (r#""stdin":{}"#, &[r#"2:9 tasks[0].stdin «{}» `stdin` has either `file` or `json`; help: like "text", {"file": "path"} or {"json": …}"#]),
    (r#""stdin":{"file":"a","json":1}"#, &[r#"2:9 tasks[0].stdin «{"file":"a","json":1}» `stdin` has either `file` or `json`; help: like "text", {"file": "path"} or {"json": …}"#]),
    (r#""stdin":{"fil":"a"}"#, &[r#"2:10 tasks[0].stdin.fil «"fil"» unknown field `fil` — did you mean `file`?"#]),
    (r#""timeout":0"#, &[r#"2:11 tasks[0].timeout «0» a timeout of zero; help: leave it out for no timeout"#]),
    (r#""timeout":-1"#, &[r#"2:11 tasks[0].timeout «-1» a duration cannot be negative; help: write a number of seconds, or text such as "250ms", "1m 30s", "2h""#]),
    (r#""timeout":"1 fortnight""#, &[r#"2:11 tasks[0].timeout «"1 fortnight"» unknown unit of time `fortnight` (units are ns, us, ms, s, m, h, d); help: write a number of seconds, or text such as "250ms", "1m 30s", "2h""#]),
    (r#""timeout":"9999d""#, &[r#"2:11 tasks[0].timeout «"9999d"» a duration longer than ten years; help: write a number of seconds, or text such as "250ms", "1m 30s", "2h""#]),
    (r#""timeout":[]"#, &[r#"2:11 tasks[0].timeout «[]» expected a duration, found an array; help: write a number of seconds, or text such as "250ms", "1m 30s", "2h""#]),
    (r#""timeout":null"#, &[r#"2:11 tasks[0].timeout «null» expected a duration, found null; help: write a number of seconds, or text such as "250ms", "1m 30s", "2h""#]),
    (r#""grace":"-1s""#, &[r#"2:9 tasks[0].grace «"-1s"» a duration cannot be negative; help: write a number of seconds, or text such as "250ms", "1m 30s", "2h""#]),
    (r#""retries":-1"#, &[r#"2:11 tasks[0].retries «-1» expected an integer from 0 to 4294967295, found -1"#]),
    (r#""retries":1.5"#, &[r#"2:11 tasks[0].retries «1.5» expected an integer from 0 to 4294967295, found 1.5"#]),
    (r#""retries":"2""#, &[r#"2:11 tasks[0].retries «"2"» expected a number of retries or an object, found a string; help: like 2, or {"count": 2, "backoff": "exponential", "delay": "1s"}"#]),
    (r#""retries":{"delay":"1s"}"#, &[r#"2:11 tasks[0].retries «{"delay":"1s"}» `retries` without `count`"#]),
    (r#""retries":{"count":1,"delai":"1s"}"#, &[r#"2:22 tasks[0].retries.delai «"delai"» unknown field `delai` — did you mean `delay`?"#]),
    (r#""retries":{"count":1,"delay":"1m","max_delay":"1s"}"#, &[r#"2:47 tasks[0].retries.max_delay «"1s"» `max_delay` is shorter than `delay`"#]),
    (r#""retries":{"count":1,"on":[]}"#, &[r#"2:27 tasks[0].retries.on «[]» retries on nothing; help: leave `on` out to retry after a failure"#]),
    (r#""retries":{"count":1,"on":["exits"]}"#, &[r#"2:28 tasks[0].retries.on[0] «"exits"» expected "exit", "timeout", "resource" or "crash", found `exits` — did you mean `exit`?"#]),
    (r#""retries":{"count":1,"backoff":"linear"}"#, &[r#"2:32 tasks[0].retries.backoff «"linear"» expected "fixed" or "exponential", found `linear`"#]),
    (r#""crash_limit":"never""#, &[r#"2:15 tasks[0].crash_limit «"never"» expected a number of deaths, found `never` — did you mean `unlimited`?"#]),
    (r#""crash_limit":-1"#, &[r#"2:15 tasks[0].crash_limit «-1» expected an integer from 0 to 4294967295, found -1"#]),
    (r#""crash_limit":true"#, &[r#"2:15 tasks[0].crash_limit «true» expected a number of deaths or "unlimited", found true"#]),
    (r#""on_lost":"retyr""#, &[r#"2:11 tasks[0].on_lost «"retyr"» expected "retry" or "fail", found `retyr` — did you mean `retry`?"#]),
    (r#""on_lost":1"#, &[r#"2:11 tasks[0].on_lost «1» expected "retry" or "fail", found a number"#]),
    (r#""ok_exit":1"#, &[r#"2:11 tasks[0].ok_exit «1» expected an array of exit codes, found a number; help: put it in brackets: [ … ]"#]),
    (r#""ok_exit":[]"#, &[r#"2:11 tasks[0].ok_exit «[]» an empty list of exit codes; help: leave it out instead"#]),
    (r#""ok_exit":[256]"#, &[r#"2:12 tasks[0].ok_exit[0] «256» expected an integer from 0 to 255, found 256"#]),
    (r#""ok_exit":[1],"fatal_exit":[1]"#, &[r#"1:2 tasks[0] «{» exit code 1 is both in `ok_exit` and in `fatal_exit`"#]),
    (r#""priority":2147483648"#, &[r#"2:12 tasks[0].priority «2147483648» expected an integer from -2147483648 to 2147483647, found 2147483648"#]),
    (r#""priority":1e2"#, &[r#"2:12 tasks[0].priority «1e2» expected an integer from -2147483648 to 2147483647, found 1e2"#]),
    (r#""needs":"a""#, &[r#"2:9 tasks[0].needs «"a"» expected an array of ids, found a string; help: put it in brackets: [ … ]"#]),
    (r#""needs":["a","a"]"#, &[r#"2:14 tasks[0].needs[1] «"a"» `a` is needed twice"#]),
    (r#""needs":["zz"]"#, &[r#"2:10 tasks[0].needs «"zz"» no task has the id `zz`"#]),
    (r#""needs":["me"]"#, &[r#"2:10 tasks[0].needs «"me"» the task `me` needs itself"#]),
    (r#""needs":[{"when":"always"}]"#, &[r#"2:10 tasks[0].needs[0] «{"when":"always"}» a need without `id`"#]),
    (r#""needs":[{"id":"a","when":"sometimes"}]"#, &[r#"2:27 tasks[0].needs[0].when «"sometimes"» expected "success", "failure" or "always", found `sometimes`"#]),
    (r#""limit":"nett""#, &[r#"2:9 tasks[0].limit «"nett"» no limit is called `nett` — did you mean `net`?; help: declare it in the document's `limits`, or by `--limit NAME=COUNT` on the command line"#]),
    (r#""limit":1"#, &[r#"2:9 tasks[0].limit «1» expected a string, found a number; help: put it in double quotes"#]),
    (r#""stdout":1"#, &[r#"2:10 tasks[0].stdout «1» expected a string, found a number; help: put it in double quotes"#]),
    (r#""stdout":"""#, &[r#"2:10 tasks[0].stdout «""» an empty path"#]),
    (r#""stderr":null"#, &[r#"2:10 tasks[0].stderr «null» expected a string, found null"#]),
    (r#""tags":"a""#, &[r#"2:8 tasks[0].tags «"a"» expected an array of strings, found a string; help: put it in brackets: [ … ]"#]),
    (r#""tags":[""]"#, &[r#"2:9 tasks[0].tags[0] «""» an empty tag"#]),
    (r#""meta":{"a":1,"a":2}"#, &[r#"2:15 tasks[0].meta.a «"a"» `a` is given twice; also 2:9"#]),
    (r#""name":1"#, &[r#"2:8 tasks[0].name «1» expected a string, found a number; help: put it in double quotes"#]),
    (r#""stdout":"a","stdout":"b""#, &[r#"2:14 tasks[0].stdout «"stdout"» `stdout` is given twice; also 2:1"#]),
    (r#""id":"x""#, &[r#"2:1 tasks[0].id «"id"» `id` is given twice; also 1:3"#]),
    (r#""commnad":["a"]"#, &[r#"2:1 tasks[0].commnad «"commnad"» unknown field `commnad` — did you mean `command`?"#]),
    (r#""dir":"a""#, &[r#"2:1 tasks[0].dir «"dir"» unknown field `dir` — did you mean `cwd`?"#]),
    (r#""needs":[true]"#, &[r#"2:10 tasks[0].needs[0] «true» expected an id (a string or an integer), found true"#]),
    (r#""needs":[""]"#, &[r#"2:10 tasks[0].needs[0] «""» an empty id"#]),
    (r#""limits":1"#, &[r#"2:1 tasks[0].limits «"limits"» unknown field `limits` — did you mean `limit`?; help: `limit` names one of the document's `limits`"#]),
    (r#""timeout":"3x""#, &[r#"2:11 tasks[0].timeout «"3x"» unknown unit of time `x` (units are ns, us, ms, s, m, h, d); help: write a number of seconds, or text such as "250ms", "1m 30s", "2h""#]),
    (r#""cwd":"a\u0000""#, &[r#"2:7 tasks[0].cwd «"a\u0000"» a NUL byte cannot be passed to a command"#]),
    (r#""stdin":{"x-a":1}"#, &[r#"2:9 tasks[0].stdin «{"x-a":1}» `stdin` has either `file` or `json`; help: like "text", {"file": "path"} or {"json": …}"#]),
];
