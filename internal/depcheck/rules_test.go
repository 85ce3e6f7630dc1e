package depcheck_test

// rule says what some packages may import. Patterns are import paths, with
// "./" for this module's own and "/..." for a path and all below it; "std" is
// the whole standard library.
type rule struct {
	// packages are those the rule is about, without those in except.
	packages string
	except   []string
	// transitive looks at everything that is linked in, not only at the import
	// declarations.
	transitive bool
	// allowed, if not nil, lists all that may be imported.
	allowed []string
	// forbidden gives for each pattern the reason.
	forbidden map[string]string
	// reason is why nothing but allowed may be imported.
	reason string
}

const (
	oneCloud    = "the two clouds are two wires; what they share belongs in cloudapi or cloudapi/internal"
	onlyCmd     = "only cmd knows which cloud is which"
	pureValues  = "translation is a function of its arguments: values in, value out"
	oracle      = "the emulator decodes the wire by itself: with shared code a misspelt field would be misspelt on both sides and every test would be green"
	lowest      = "the clouds' clients know nothing of Kubernetes or of what uses them"
	onPaper     = "what is shown beforehand must come from the manifests alone"
	ownRegistry = "the vendor's library decides what goes over the wire; sharing it would share its mistakes"
)

// rules are the table of docs/architecture.md.
var rules = []rule{
	{
		packages: "./cloudapi", transitive: true,
		allowed: []string{"std"},
		reason:  "the contract is plain values and one interface, for both clouds and for every user of them",
	},
	{
		packages: "./cloudapi/...", transitive: true,
		forbidden: map[string]string{
			"./translate/...": lowest, "./provider/...": lowest, "./internal/...": lowest,
			// apimachinery may be: both clouds' exec speaks Kubernetes' own
			// stream protocol.
			"k8s.io/api/...": lowest, "k8s.io/client-go/...": lowest,
		},
	},
	{
		packages: "./cloudapi/eci/...", transitive: true,
		forbidden: map[string]string{"./cloudapi/kci/...": oneCloud},
	},
	{
		packages: "./cloudapi/kci/...", transitive: true,
		forbidden: map[string]string{
			"./cloudapi/eci/...":                       oneCloud,
			"github.com/alibabacloud-go/...":           oneCloud,
			"github.com/aliyun/...":                    oneCloud,
			"github.com/aws/aws-sdk-go-v2/service/...": "the signature is all that KCI shares with AWS",
		},
	},
	{
		packages: "./cloudapi/internal/...", transitive: true,
		forbidden: map[string]string{"./cloudapi/eci/...": oneCloud, "./cloudapi/kci/...": oneCloud},
	},
	{
		packages: "./translate/...",
		allowed: []string{
			"std", "./cloudapi", "./translate/...",
			"k8s.io/api/...", "k8s.io/apimachinery/...", "k8s.io/utils/ptr", "k8s.io/component-helpers/resource",
		},
		forbidden: map[string]string{
			"context":                              pureValues,
			"crypto/rand":                          pureValues,
			"log/...":                              pureValues,
			"math/rand/...":                        pureValues,
			"net/http/...":                         pureValues,
			"os/...":                               pureValues,
			"sync/...":                             pureValues,
			"k8s.io/apimachinery/pkg/util/clock":   pureValues,
			"k8s.io/apimachinery/pkg/util/rand":    pureValues,
			"k8s.io/apimachinery/pkg/util/uuid":    pureValues,
			"k8s.io/apimachinery/pkg/util/wait":    pureValues,
			"k8s.io/apimachinery/pkg/util/runtime": pureValues,
		},
		reason: pureValues,
	},
	{
		packages: "./translate/...", transitive: true,
		forbidden: map[string]string{
			"./cloudapi/eci/...": onlyCmd, "./cloudapi/kci/...": onlyCmd, "./provider/...": pureValues,
			"./internal/...": pureValues, "k8s.io/client-go/...": pureValues, "k8s.io/utils/clock/...": pureValues,
		},
	},
	{
		packages: "./provider/...", transitive: true,
		forbidden: map[string]string{
			"./cloudapi/eci/...": onlyCmd, "./cloudapi/kci/...": onlyCmd,
			"./internal/...": "the provider is given everything; it knows neither configuration nor emulator",
		},
	},
	{
		packages: "./provider/...",
		forbidden: map[string]string{
			"os/...": "the provider is given everything; it reads no file and no environment",
		},
	},
	{
		packages: "./internal/emulator/...", transitive: true,
		forbidden: map[string]string{
			"./cloudapi/...": oracle, "./translate/...": oracle, "./provider/...": oracle, "./internal/config": oracle,
			"github.com/alibabacloud-go/...":     ownRegistry,
			"github.com/aliyun/...":              ownRegistry,
			"github.com/aws/...":                 ownRegistry,
			"github.com/kingsoftcloud/...":       ownRegistry,
			"github.com/KscSDK/...":              ownRegistry,
			"github.com/virtual-kubelet/...":     oracle,
			"sigs.k8s.io/controller-runtime/...": "the emulator is a cloud, not a controller",
		},
	},
	{
		packages: "./internal/config", transitive: true,
		forbidden: map[string]string{
			"./cloudapi/...":          "configuration is read before anything is built from it",
			"./translate/...":         "configuration is read before anything is built from it",
			"./provider/...":          "configuration is read before anything is built from it",
			"./internal/emulator/...": "configuration is read before anything is built from it",
		},
	},
	{
		packages: "./internal/...", transitive: true,
		forbidden: map[string]string{"./cloudapi/eci/...": onlyCmd, "./cloudapi/kci/...": onlyCmd},
	},
	{
		packages: "./internal/manifest",
		forbidden: map[string]string{
			"net/http/...": onPaper, "k8s.io/client-go/rest": onPaper, "k8s.io/client-go/kubernetes": onPaper,
			"./provider/...": "manifests are read for whoever asks", "./internal/preview": "manifests are read for whoever asks",
		},
	},
	{
		packages: "./internal/preview",
		forbidden: map[string]string{
			"net/http/...": onPaper, "os/...": onPaper, "k8s.io/client-go/...": onPaper,
			"./internal/emulator/...": onPaper, "./internal/config": "what is configured, cmd tells it",
		},
	},
	{
		packages: "./...", transitive: true,
		forbidden: map[string]string{
			"k8s.io/kubernetes/...": "it is not made to be imported and pins every version; only modules under hack/ have it",
		},
	},
}

// environmentReaders are the packages that may look into the environment.
var environmentReaders = map[string]string{
	"./internal/config":       "configuration is read once, in one place",
	"./internal/parent":       "the variable names a file descriptor that this repository's own parent process set, no setting",
	"./internal/controlplane": "it passes a few variables on to the programs it starts and decides nothing by them",
}

// names that say nothing about what a package or file holds.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "types", "misc"}

// exportedFrom are the packages whose exported declarations mention nothing but
// the standard library, this module and these.
var exportedFrom = struct {
	packages []string
	allowed  []string
}{
	packages: []string{"./cloudapi", "./cloudapi/eci", "./cloudapi/kci"},
	allowed:  []string{"std", "./cloudapi/...", "github.com/go-logr/logr", "k8s.io/utils/clock/..."},
}
