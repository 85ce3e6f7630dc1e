package eci

// What makes an answer of status 200 useless. A list that is missing or null
// counts as empty if nothing else in the answer says otherwise, but not in an
// answer without a request id: that is no answer of this API, and to take it
// for "no groups" would make all groups look gone.

const (
	faultNoRequest = "it has no RequestId"
	faultNoList    = "it has a TotalCount but no list"
	faultNoGroup   = "a group in it has no ContainerGroupId"
)

func listFault(requestID text, total number, missing bool) string {
	switch {
	case requestID == "":
		return faultNoRequest
	case missing && total.float() > 0:
		return faultNoList
	}
	return ""
}

func (a *groupsAnswer) list() (string, int) { return "ContainerGroups", len(a.ContainerGroups) }

func (a *groupsAnswer) fault(listMissing bool) string {
	for _, g := range a.ContainerGroups {
		if g.ContainerGroupID == "" {
			return faultNoGroup
		}
	}
	return listFault(a.RequestID, a.TotalCount, listMissing)
}

func (a *statusAnswer) list() (string, int) { return "Data", len(a.Data) }

func (a *statusAnswer) fault(listMissing bool) string {
	for _, d := range a.Data {
		if d.ContainerGroupID == "" {
			return faultNoGroup
		}
	}
	return listFault(a.RequestID, a.TotalCount, listMissing)
}

func (a *metricsAnswer) list() (string, int) { return "MonitorDatas", len(a.MonitorDatas) }

func (a *metricsAnswer) fault(listMissing bool) string {
	return listFault(a.RequestID, "", listMissing)
}

func (a *createAnswer) list() (string, int) { return "", 0 }

func (a *createAnswer) fault(bool) string {
	if a.ContainerGroupID == "" {
		return "it has no ContainerGroupId"
	}
	return ""
}

func (a *deleteAnswer) list() (string, int) { return "", 0 }

func (a *deleteAnswer) fault(bool) string {
	if a.RequestID == "" {
		return faultNoRequest
	}
	return ""
}

func (a *logAnswer) list() (string, int) { return "", 0 }

func (a *logAnswer) fault(bool) string {
	if a.RequestID == "" {
		return faultNoRequest
	}
	return ""
}

func (a *execAnswer) list() (string, int) { return "", 0 }

func (a *execAnswer) fault(bool) string {
	if a.WebSocketURI == "" {
		return "it has no WebSocketUri"
	}
	return ""
}
