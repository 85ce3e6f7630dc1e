package translate

import (
	"strings"

	"github.com/cumulet/cumulet/cloudapi"
)

// driverRow says how a driver's volume is said to a cloud. Which cloud mounts
// volumes of which driver stands in cloudapi.Limits.VolumeDrivers.
type driverRow struct {
	// source is where the driver's name and attributes are documented.
	source    string
	translate func(*translation, *stored) (cloudapi.Volume, bool)
}

// driverTable is the table of storage drivers; read only. Attributes of disks:
// disk.go; of shares: share.go; of buckets: bucket.go.
var driverTable = map[string]driverRow{
	// The CSI drivers of Alibaba Cloud (kubernetes-sigs/alibaba-cloud-csi-driver,
	// docs/disk.md, nas.md and oss.md; ECI's user guide, document 372500, 151416
	// and "mount-an-oss-bucket").
	"diskplugin.csi.alibabacloud.com": {source: "alibaba-cloud-csi-driver docs/disk.md", translate: (*translation).disk},
	"nasplugin.csi.alibabacloud.com":  {source: "alibaba-cloud-csi-driver docs/nas.md", translate: (*translation).share},
	"ossplugin.csi.alibabacloud.com":  {source: "alibaba-cloud-csi-driver docs/oss.md", translate: (*translation).bucket},
	// The FlexVolume drivers before them (ACK's documents 130895 and 86543; the
	// parameter FlexVolume of ECI's CreateContainerGroup).
	"alicloud/disk": {source: "ECI user guide, mount-a-disk-volume", translate: (*translation).disk},
	"alicloud/nas":  {source: "ACK document 130895", translate: (*translation).share},
	"alicloud/oss":  {source: "ACK document 86543", translate: (*translation).bucket},
	// The CSI drivers of Kingsoft Cloud (kingsoftcloud/csi-plugin,
	// deploy/chart/templates/csidriver.yaml). The one of its object storage,
	// com.ksc.csi.ks3plugin, is none that KCI can mount.
	"com.ksc.csi.diskplugin": {source: "csi-plugin driver/disk", translate: (*translation).disk},
	"com.ksc.csi.nfsplugin":  {source: "csi-plugin driver/nfs", translate: (*translation).share},
}

// truth reads an attribute that is true or false; absent is otherwise.
func (t *translation) truth(s *stored, name string, otherwise bool) bool {
	switch text := s.attributes.take(name); {
	case text == "":
		return otherwise
	case strings.EqualFold(text, "true"):
		return true
	case strings.EqualFold(text, "false"):
		return false
	default:
		t.rejectf(s, "%s must be true or false", name)
		return otherwise
	}
}
