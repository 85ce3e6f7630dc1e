// Package admin is the back door of the emulated clouds: what truly exists, what
// was called, and the levers by which tests and people make things go wrong. It
// speaks plain JSON over HTTP and knows no keys, so it belongs on a loopback
// address only.
//
//	GET    /healthz                       200 once it serves
//	GET    /groups?cloud=&live=true       every group that exists or existed, oldest first;
//	                                      live leaves out those that no longer show in the API
//	GET    /groups/{cloud}/{id}           one group, with containers and events
//	POST   /groups/{cloud}/{id}/fate      {"container":"app","exit":1} and the other fields of
//	                                      simulated.Fate: log, ready, oom
//	POST   /groups/{cloud}/{id}/expire    the cloud takes a preemptible group's machine back
//	GET    /faults                        the faults of all clouds, with how often they hit
//	POST   /faults                        {"cloud":"eci","kind":"error",…} as fault.Fault; without
//	                                      cloud in all of them; answers with what was added
//	DELETE /faults?cloud=                 removes all faults
//	DELETE /faults/{cloud}/{id}           removes one
//	GET    /calls                         calls by cloud and action, by answer and by minute
//	DELETE /calls                         counts anew
//
// Durations are strings such as "300ms"; times are RFC 3339. An error is answered
// as {"error":"…"} with 400, 404 or 409.
package admin
