package main

// introduction and notes stand around the table.
const (
	introduction = `Each Ingress has a host, two paths, and a Service with three endpoints of its own. Make this again with ` + "`make bench`" + `;
every sample is in [results.json](results.json). A p99 of twenty samples is the largest of them.

![The time until a change is live, by the number of Ingresses](changes.svg)

`
	notes = `
1. The time to the first 200 less the steps "test" (` + "`nginx -t`" + `) and "reload" (from the signal to the first worker that answers with the new generation) of the generation that brought it. The Service is new to nginx too, so it has to ask for its endpoints first.
2. The size of nginx.conf less that without any Ingress, divided by the number of Ingresses: two paths of type Prefix (three locations) and the upstream.
3. VmRSS after 10 s of rest that follow the other measurements at this size. Pages of the program file are in it; the next line is without them.
4. The proportional set size (a page that several of them share counts once), as the workers share most of their memory with the master.
5. Of both programs with empty directories, until each host has answered; the time for asking all of them is in it.
6. The reload that brings the last change: all steps of that generation.
7. Against a hand-written nginx.conf for the same backends on the same nginx (e2e/bench/handwritten.conf): one worker each, which has a core to itself; wrk with 32 connections that are kept alive shares the other core with the backends. The two are run in turns (ABBA); a sample is the ratio of the two runs of a pair. CPU time is that of the workers, the master and the controller.
8. A Deployment of three pods under 500 requests a second that are kept alive, every tenth of which takes 0.5 s; real controllers, pods that are processes and end as a well-kept application does.
`
	certificatesIntroduction = `
## How certificates are given to nginx

The CPU time of a worker for a new TLS session (ECDSA P-256, no resumption), and the time of ` + "`nginx -t`" + `, of which a reload has two; medians. "static" is a server block with ` + "`ssl_certificate`" + ` for each host, "variable" one ` + "`ssl_certificate $file`" + ` for all, "cached" the same with ` + "`ssl_certificate_cache`" + ` and ` + "`valid=1s`" + `, as Sidegate has it.

| way | certificates | CPU a session | nginx -t |
|---|---:|---:|---:|
`
)
