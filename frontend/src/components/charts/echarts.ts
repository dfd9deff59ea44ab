/** The parts of ECharts that our charts show, in place of the whole library: what `import … from "echarts"` gets (vite.config.ts). */
import { BarChart, LineChart, PieChart } from "echarts/charts";
import { AxisPointerComponent, GridComponent, LegendComponent, TitleComponent, TooltipComponent } from "echarts/components";
import { use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([AxisPointerComponent, BarChart, GridComponent, LegendComponent, LineChart, PieChart, SVGRenderer, TitleComponent, TooltipComponent]);

export { init } from "echarts/core";
export type { EChartsOption } from "echarts";
