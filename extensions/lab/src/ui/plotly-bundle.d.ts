/** The bundle brings no types; what Studio uses of it is in plotly.ts. */
declare module 'plotly.js-basic-dist-min' {
  const Plotly: import('./plotly').IPlotly;
  export default Plotly;
}
