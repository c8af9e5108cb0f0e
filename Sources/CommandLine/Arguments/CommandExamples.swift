/// Examples of every command, shown by its help; a test parses each.
enum CommandExamples {
    /// - Parameter path: names of the command from the root, such as `["host", "drain"]`.
    static func of(_ path: [String]) -> [String] { table[path.joined(separator: " ")] ?? [] }

    /// The section of help.
    static func section(_ path: [String]) -> String {
        let examples = of(path)
        return examples.isEmpty ? "" : "\nEXAMPLES:\n" + examples.map { "  \($0)\n" }.joined()
    }

    private static let table: [String: [String]] = [
        "": [
            "basalt login --server https://a:7443 --token-file t", "basalt get vms -A", "basalt why vm web-1",
        ],
        "get": [
            "basalt get hosts -o wide", "basalt get vms -A -l tier=web -w",
            "basalt get vm web-1 -p shop -o yaml",
            "basalt get vms -A --field-selector status.state=Pending,spec.pool=vms",
            "basalt get allocations --field-selector state=active",
        ],
        "describe": ["basalt describe vm web-1 -p shop"],
        "apply": ["basalt apply -f fleet.yaml", "basalt apply -f - --dry-run"],
        "diff": ["basalt diff -f fleet.yaml"],
        "delete": ["basalt delete vm web-1 web-2 -p shop --wait", "basalt delete -f fleet.yaml --dry-run"],
        "wait": [
            "basalt wait vm web-1 --for state=Running --timeout 2m", "basalt wait vm web-1 --for deleted",
            "basalt wait vm web-1 --for condition=Ready",
            "basalt wait vm web-1 --for jsonpath=.status.host=host-1",
        ],
        "label": [
            "basalt label host host-1 rack=r7", "basalt label vm web-1 -p shop tier=db --overwrite",
            "basalt label vm web-1 tier-",
        ],
        "annotate": ["basalt annotate pool vms owner=ada@example.org"],
        "explain": ["basalt explain vm", "basalt explain vm.spec.resources", "basalt explain pool -o json"],
        "cluster": ["basalt cluster"],
        "top": ["basalt top", "basalt top hosts --limit 5", "basalt top vms -p shop -o json"],
        "events": [
            "basalt events -w", "basalt events --field-selector kind=VM,reason=NoHostFits --limit 20",
        ],
        "logs": ["basalt logs web-1 -p shop", "basalt logs web-1 --tail 100 --follow"],
        "why": ["basalt why vm web-1 -p shop", "basalt why vmgroup ring -p shop"],
        "vm create": [
            "basalt vm create web-1 -p shop --cpu 2 --memory 4GiB --wait",
            "basalt vm create llm-1 --flavor h100x8 --class guaranteed",
        ],
        "vmgroup create": [
            "basalt vmgroup create ring -p shop --replicas 8 --placement all --apart host --cpu 8 --memory 16GiB",
            "basalt vmgroup create web --replicas 3 --flavor small --label tier=web --wait",
        ],
        "vmgroup scale": ["basalt vmgroup scale ring --replicas 4 -p shop --wait"],
        "host cordon": [
            "basalt host cordon host-1 --reason disk",
            "basalt host cordon host-1 --reason disk --dry-run -o yaml",
        ],
        "host repair": ["basalt host repair host-1 --reason fan --yes"],
        "host repaired": ["basalt host repaired host-1 --reason fan"],
        "host impact": [
            "basalt host impact host-1", "basalt host impact host-1 --since 2026-06-01T08:00:00Z",
        ],
        "fault impact": ["basalt fault impact crash-1"],
        "telemetry": [
            "basalt telemetry logs --component control --level warning",
            "basalt telemetry traces --contains commit -o json", "basalt telemetry metrics --otlp",
        ],
        "host uncordon": ["basalt host uncordon host-1 --reason repaired"],
        "host drain": [
            "basalt host drain host-1 --reason firmware --dry-run",
            "basalt host drain host-1 --reason firmware --deadline 1h --max-parallel 4 --monitor --yes",
            "basalt host drain host-1 --reason firmware --within 6h --yes",
        ],
        "plan defrag": ["basalt plan defrag --pool vms", "basalt plan defrag --pool vms -o json"],
        "host undrain": ["basalt host undrain host-1 --reason postponed"],
        "host preempt": [
            "basalt host preempt host-1 --reason spot --in 2m",
            "basalt host preempt host-1 --reason lease --at 2026-06-01T08:00:00Z --dry-run",
        ],
        "host fence": [
            "basalt host fence host-1 --reason burnt --dry-run",
            "basalt host fence host-1 --reason burnt --confirm",
        ],
        "host breaker list": ["basalt host breaker list"],
        "fault run": [
            "basalt fault run silent --kind agentHang --target agent/host-1 --lease 30s",
            "basalt fault run cut --kind linkPartition --component link --limit 2 --blast-radius 2 --dry-run",
        ],
        "fault list": ["basalt fault list"],
        "fault get": ["basalt fault get silent -o yaml"],
        "fault abort": ["basalt fault abort silent --reason enough"],
        "fault pause": ["basalt fault pause silent"],
        "fault resume": ["basalt fault resume silent"],
        "fault kill-switch": [
            "basalt fault kill-switch --reason outage", "basalt fault kill-switch --lift",
        ],
        "fault doctor": ["basalt fault doctor"],
        "host breaker reset": ["basalt host breaker reset east --zone z1 --reason off --yes"],
        "allocation adopt": ["basalt allocation adopt 01890a5d-ac96-774b-bcce-b302099a8057"],
        "allocation release": [
            "basalt allocation release 01890a5d-ac96-774b-bcce-b302099a8057 --reason stray --confirm"
        ],
        "vm adopt": ["basalt vm adopt web-1 -p shop"],
        "policy list": ["basalt policy list"],
        "policy get": ["basalt policy get dense -o yaml", "basalt policy get dense --version 1"],
        "policy set": [
            "basalt policy set dense --score best-fit", "basalt policy set dense --score waste --dry-run",
        ],
        "policy delete": ["basalt policy delete dense"],
        "policy history": ["basalt policy history dense"],
        "policy diff": ["basalt policy diff dense", "basalt policy diff dense --from 1 --to 3"],
        "policy rollback": [
            "basalt policy rollback dense --to 1 --dry-run", "basalt policy rollback dense --to 1",
        ],
        "oversub get": ["basalt oversub get", "basalt oversub get --cell east -o json"],
        "oversub explain": ["basalt oversub explain pool/vms", "basalt oversub explain vm/web-1 -p shop"],
        "oversub policy": [
            "basalt oversub policy pool/vms --set careful", "basalt oversub policy host/h1 --clear --dry-run",
        ],
        "oversub pin": ["basalt oversub pin pool/vms --ratio 1.5 --reason test --for 24h"],
        "oversub cap": ["basalt oversub cap cell/east --ratio 2 --reason licences"],
        "oversub exclude": ["basalt oversub exclude host/h1 --reason database"],
        "oversub kill-switch": [
            "basalt oversub kill-switch pool/vms --reason incident --yes",
            "basalt oversub kill-switch pool/vms --off --reason over",
        ],
        "oversub constraints": ["basalt oversub constraints -o wide"],
        "oversub end": ["basalt oversub end 01890a5d-ac96-774b-bcce-b302099a8057 --reason over"],
        "oversub decisions": ["basalt oversub decisions pool/vms --state applied --limit 5"],
        "oversub risk": ["basalt oversub risk pool/vms"],
        "oversub what-if": [
            "basalt oversub what-if pool/vms --policy careful",
            "basalt oversub what-if pool/vms --risk 0.005 --days 14",
        ],
        "oversub review list": ["basalt oversub review list"],
        "oversub review show": ["basalt oversub review show pool/vms"],
        "oversub review approve": ["basalt oversub review approve pool/vms --reason looked"],
        "oversub review cap": ["basalt oversub review cap pool/vms --ratio 1.2 --reason careful"],
        "oversub review pin": ["basalt oversub review pin pool/vms --ratio 1.1 --reason test --for 8h"],
        "oversub review exclude": ["basalt oversub review exclude pool/vms --reason databases"],
        "oversub review split": ["basalt oversub review split pool/vms --prototype 2 --reason nights"],
        "oversub review merge": [
            "basalt oversub review merge pool/vms --prototype 0 --prototype 2 --reason alike"
        ],
        "operation cancel": ["basalt operation cancel 01890a5d-ac96-774b-bcce-b302099a8057"],
        "operator check": ["basalt operator check"],
        "simulate vms": [
            "basalt simulate vms --trace vms.csv --hosts 400 --host-shape 64x192",
            "basalt simulate vms --trace vms.csv --policies best-fit,nilas --predictor km -o svg empty.svg",
            "basalt simulate vms --from-history --last 7d --pool general --policies best-fit,nilas --predictor km",
        ],
        "model list": ["basalt model list", "basalt model list -o wide"],
        "model get": ["basalt model get general-1 -o json"],
        "model push": [
            "basalt model push model.json", "basalt model push model.json --name general-1 --dry-run",
        ],
        "model pull": ["basalt model pull general-1 --out model.json"],
        "model promote": [
            "basalt model promote general-1 --pool general --dry-run",
            "basalt model promote general-1 --force",
        ],
        "model rollback": ["basalt model rollback general-1 --pool general"],
        "model delete": ["basalt model delete general-1 --dry-run"],
        "model train": [
            "basalt model train --trace vms.csv --out model.json --features project,role --until 2000000"
        ],
        "model evaluate": ["basalt model evaluate --model model.json --trace vms.csv -o json"],
        "trace export": ["basalt trace export --last 14d --pool general --out vms.csv"],
        "model evaluate lifetimes": [
            "basalt model evaluate lifetimes --model model.json --trace vms.csv -o json"
        ],
        "model evaluate serving": ["basalt model evaluate serving --silicon points.csv.gz"],
        "plan mix": [
            "basalt plan mix --config demand.json -o json",
            "basalt plan mix --profile a100.json --profile a40.json --requests chat.csv --rate 20",
        ],
        "plan serving": [
            "basalt plan serving --cluster cluster.json --model LLaMA-30B --requests code.csv --rate 4 "
                + "--ttft 4 --tpot 0.25 --e2e 60 --kv-bits 4 -o json",
            "basalt plan serving --cluster cluster.json --model LLaMA-30B --requests code.csv --rate 4 "
                + "--ttft 4 --tpot 0.25 --e2e 60 --baseline distserve -o json",
            "basalt plan serving --replan plan.json --event gpu-lost:node-1/0",
        ],
        "simulate serving": [
            "basalt simulate serving --plan plan.json --requests code.csv --rate 4 --goodput"
        ],
        "trace import": ["basalt trace import --format azure-v2 --in vmtable.csv --out vms.csv"],
        "simulate drain": ["basalt simulate drain --trace vms.csv --order lars --slots 3 -o json"],
        "simulate oversubscription": [
            "basalt simulate oversubscription --usage use.csv.gz --policies static:2,p99,window:6x4h:p95",
            "basalt simulate oversubscription --usage use.csv.gz --shuffles 20 -o svg > frontier.svg",
        ],
        "simulate rates": ["basalt simulate rates --usage use.csv.gz --policies recent:7d,scope:p99"],
        "simulate power": [
            "basalt simulate power --added 0,10,20,30,40,50",
            "basalt simulate power --derive-thresholds --days 7 -o svg > power.svg",
        ],
        "problem list": ["basalt problem list --suite lite", "basalt problem list -o name"],
        "problem show": ["basalt problem show AG-01", "basalt problem show DB-02 -o yaml"],
        "problem run": [
            "basalt problem run --suite lite --agent rulebook --seeds 3 -o json",
            "basalt problem run --problem NET-01 --agent oracle --seeds 1 --export traces",
        ],
        "simulate predictors": [
            "basalt simulate predictors --input host.csv --predictors max -o csv",
            "basalt simulate predictors --usage use.csv.gz --predictors n-sigma:5:120,vm:p99:120",
        ],
        "simulate faults": [
            "basalt simulate faults --seeds 1..200 --hours 24 -o json",
            "basalt simulate faults --seeds 7 --hours 1 --acceleration 5000 --kinds controllerCrash,storeOutage",
        ],
        "simulate training": [
            "basalt simulate training --jobs jobs.csv --measured steps.csv --policies easy,rubick -o json",
            "basalt simulate training --jobs jobs.csv --measured traces --policies rubick -o svg > gpus.svg",
        ],
        "plan training": [
            "basalt plan training --model llama7 --gpus 64",
            "basalt plan training --model gpt2 --gpus 8 --measured steps.csv -o svg > curve.svg",
            "basalt plan training --pool gpus --hosts 2 -f jobs.yaml",
            "basalt plan training --pool gpus -o svg > history.svg",
        ],
        "model fit training": [
            "basalt model fit training --profile profiles -o json",
            "basalt model fit training --profile profiles --test steps.csv",
        ],
        "model predict training": ["basalt model predict training --input steps.csv -o csv"],
        "replay vms": ["basalt replay vms --trace vms.csv"],
        "demo": ["basalt demo", "basalt demo --once"],
        "login": ["basalt login --server https://a:7443,https://b:7443 --token-file ~/token --ca ca.pem"],
        "context list": ["basalt context list"],
        "context use": ["basalt context use production"],
        "context show": ["basalt context show", "basalt context show production -o yaml"],
        "context set": [
            "basalt context set production --server https://a:7443 -p shop",
            "basalt context set production --project ''",
        ],
        "context delete": ["basalt context delete production"],
        "token create": ["basalt token create ci --role operator --secret-file ci.token"],
        "token list": ["basalt token list"],
        "token revoke": ["basalt token revoke ci", "basalt token revoke ci old --dry-run"],
        "audit": [
            "basalt audit --since 2h", "basalt audit --actor user/ada --subject policy/dense -o wide",
            "basalt audit --refused -p shop",
        ],
        "join-token create": [
            "basalt join-token create --cell east --pool vms --hosts 'rack1-*' --secret-file t"
        ],
        "completion": ["basalt completion bash > ~/.local/share/bash-completion/completions/basalt"],
        "version": ["basalt version", "basalt version --client"],
    ]
}
