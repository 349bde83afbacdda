import type { TranslationBundle } from '@jupyterlab/translation';

import type { PanelName } from './tokens';

export interface IGuide {
  title: string;
  text: string[];
  code: string;
  /** The same thing in the words of people who come from elsewhere. */
  words?: string;
}

const SDK = 'from studio.guest import sdk\n\n';

const CALL = 'from studio.guest.sdk.call import call, in_domain\n\n';

/** One short guide per panel; it works without a network and also gives empty states their line of code. */
export const GUIDES: Record<PanelName, (trans: TranslationBundle) => IGuide> = {
  home: trans => ({
    title: trans.__('From data to a monitored model'),
    text: [
      trans.__('The line Data, Build, Train, Deploy, Monitor is the whole way. Each step leads to its panel, and the next sensible one is marked.'),
      trans.__('Run the example copies a notebook into your folder: it trains three models on Seattle weather, and everything it makes appears in these panels while it runs.')
    ],
    code: SDK + 'sdk.session()',
    words: trans.__('A domain is what SageMaker calls a domain and Databricks a workspace.')
  }),
  data: trans => ({
    title: trans.__('Data sets'),
    text: [
      trans.__('A data set is a file of this domain under a name. Registering it computes its hash, so that a run can say exactly which bytes it saw, and looks at every column once.'),
      trans.__('Register the same name again after the file changed: that makes a new version.')
    ],
    code: SDK + 'sdk.register_dataset("weather", "shared/seattle-weather.csv")'
  }),
  experiments: trans => ({
    title: trans.__('Experiments and runs'),
    text: [
      trans.__('Every kernel and job logs here with the ordinary mlflow client; nothing is to be set up. Rows and curves move while a run is training.'),
      trans.__("The filter takes MLflow's syntax: metrics.auc > 0.7 and params.model = 'forest'. Select runs to see their curves side by side.")
    ],
    code: 'import mlflow\n\nmlflow.sklearn.autolog()\nwith mlflow.start_run(run_name="forest-1"):\n    model.fit(X_train, y_train)',
    words: trans.__('Runs are what SageMaker calls trials, and W&B calls runs.')
  }),
  run: trans => ({
    title: trans.__('A run'),
    text: [
      trans.__('Parameters, metrics and files of one training. Register makes its model a version in the registry; Deploy serves it.'),
      trans.__('Evaluation shows the confusion matrix at any threshold. A click on a cell opens exactly those rows.')
    ],
    code: 'import mlflow\n\nmlflow.register_model("runs:/<run id>/model", "rain-tomorrow")\n' + SDK + 'sdk.deploy("models:/rain-tomorrow/1", name="rain-tomorrow")'
  }),
  jobs: trans => ({
    title: trans.__('Jobs'),
    text: [
      trans.__('A job is a script run to its end, away from your notebook: it goes on when the browser is closed, keeps its log, and its runs are linked to it.'),
      trans.__('Stop asks the script to end first and then ends it.')
    ],
    code: 'studio run train.py -p depth=6\n\n# or from a notebook\n' + SDK + 'sdk.run_job("train.py", params={"depth": 6})',
    words: trans.__('What SageMaker calls a training or processing job.')
  }),
  models: trans => ({
    title: trans.__('Registered models'),
    text: [
      trans.__('A registered model has numbered versions; an alias such as champion names the one to use. Code that loads models:/rain-tomorrow@champion follows the alias.'),
      trans.__('A version keeps its signature and an example row: deploying tests on that row before anybody is answered.')
    ],
    code: 'import mlflow\n\nmlflow.register_model("runs:/<run id>/model", "rain-tomorrow")'
  }),
  endpoints: trans => ({
    title: trans.__('Endpoints'),
    text: [
      trans.__('An endpoint is a name that answers predictions. It is InService only after a real prediction on the logged example row went well.'),
      trans.__('Serverless endpoints cost nothing while idle and wake on the first request. Promote moves traffic to another version without a failed request; Undo moves it back.')
    ],
    code: SDK + 'sdk.deploy("models:/rain-tomorrow@champion", name="rain-tomorrow")',
    words: trans.__('The same word as in SageMaker; /endpoints/{name}/invocations answers its clients too.')
  }),
  endpoint: trans => ({
    title: trans.__('An endpoint'),
    text: [
      trans.__('Figures are those of the gateway: what callers really waited. Try it sends one row and shows the request as code.'),
      trans.__('Variants are versions side by side. Sliders divide the traffic among them, together and without a failed request; a shadow gets copies of requests and answers nobody.'),
      trans.__('Promote moves the traffic at once, with a canary or in equal steps, and takes it back by itself above the limits you set.'),
      trans.__('Captured rows are what was asked and answered; the monitor compares them with the training data.')
    ],
    code: SDK + 'sdk.endpoint("rain-tomorrow").predict([row])',
    words: trans.__('Variant, shadow variant, canary and linear are the words of SageMaker.')
  }),
  monitors: trans => ({
    title: trans.__('Monitors'),
    text: [
      trans.__('A monitor compares the newest captured rows with the training data, column by column. PSI above the threshold is drift: the column is named and an alert opens.'),
      trans.__('PSI below 0.1 is noise, 0.1 to 0.2 worth a look, above 0.2 a real shift. Windows have at least 200 rows.')
    ],
    code: SDK + 'sdk.alerts()\nrows = sdk.rows("<alert id>")'
  }),
  environments: trans => ({
    title: trans.__('Environments'),
    text: [
      trans.__('An environment is a locked set of packages that kernels, jobs and endpoints start from. Every change is a new version, built beside the one in use; what runs goes on with what it has, and any version can be gone back to.'),
      trans.__('The catalogue is shared by all domains and never changed from one: adding a package to it makes a clone that only this domain sees.'),
      trans.__('Its libraries are imported once and forked from: that is why kernels start in a moment.')
    ],
    code: 'studio env list\nstudio env add sklearn polars\nstudio env versions demo-sklearn',
    words: trans.__('What SageMaker calls an image.')
  }),
  domain: trans => ({
    title: trans.__('The domain'),
    text: [
      trans.__('A domain isolates one project: its people, files, models and costs. Code of one domain cannot read the files of another; the isolation report says what of that is enforced on this computer.'),
      trans.__('A role gives actions, rules of the policy take some away or give more, and an access key does no more than what it was narrowed to. May they? asks the same place that decides when they do it.'),
      trans.__('Everything that was changed or refused is in the audit log. Snapshots keep the shared folder, or your home, as it is now.')
    ],
    code: 'studio member add NAME --role editor\nstudio key create --user NAME --action "tracking.*" --days 30\nstudio policy explain --user NAME --action serving.write\nstudio domain isolation demo',
    words: trans.__('What SageMaker calls a domain and Databricks a workspace; spaces are places to work inside it.')
  }),
  cost: trans => ({
    title: trans.__('Running and cost'),
    text: [
      trans.__('Everything that was started is in the ledger with its price per hour at that moment. Stopping it ends its cost.'),
      trans.__('Prices are yours: what an hour of this machine is worth. A change counts from now on.')
    ],
    code: CALL + 'call("GET", in_domain("running"))\ncall("POST", in_domain("stop-all"))'
  }),
  dashboard: trans => ({
    title: trans.__('Dashboards'),
    text: [trans.__('Pages to look at and compare, with Plotly charts. They run beside your lab with your rights.')],
    code: 'import mlflow\n\nmlflow.search_runs(search_all_experiments=True)'
  })
};
