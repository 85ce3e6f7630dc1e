// Package eci is the cloudapi.Client of Alibaba Cloud's Elastic Container
// Instance, API version 2018-08-08.
//
// Requests are the official SDK's models, signed by its core (ACS3-HMAC-SHA256)
// and sent as a form in the body: environment values, config files and registry
// passwords do not belong into a URL, and do not fit there. Answers are decoded
// by this package and not by the SDK, which loses the HTTP status of an error
// without a JSON body and fails a whole page for one field of another type. No
// type of the SDK shows in the exported API.
//
// A group carries its identity in tags; see the constants Tag….
package eci
