"""Server: one workspace over HTTP, for people's browsers and for programs.

live        the network and its loop, in a process of their own
desk        what all requests share: workspace, jobs, sessions, live network, people
app         the application: routes, guards, the web pages where they are installed
run         uvicorn, TLS, what is printed at the start
access      who a request comes from: tokens, cookies, one-time links
guard       what stands before every request: host, origin, limits, content policy
limits      how much a request may ask for        outside   which addresses may be asked
problems    errors as RFC 9457 problems           replies   documents with ETag and gzip
references  `live`, `live@TIME`, a network or a session, by one name
networks    network files that were uploaded      jobs/     work in other processes
turns       one process at a time compiles
quality     of the data of a workspace
routes/     the resources of the API              meters    figures for Prometheus
"""
