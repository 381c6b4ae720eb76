// Colour, or none. Renderers get a paint and never ask where their text goes.

import { styleText } from 'node:util'

export type Ink = 'good' | 'mixed' | 'bad' | 'neutral' | 'dim' | 'bold'
export type Paint = (ink: Ink, text: string) => string

export const plain: Paint = (_ink, text) => text

const STYLES: Record<Ink, Parameters<typeof styleText>[0]> = {
  good: 'green',
  mixed: 'yellow',
  bad: 'red',
  neutral: 'cyan',
  dim: 'dim',
  bold: 'bold',
}

/** Paint for a terminal. Whether there is one is for the caller to know. */
export const colours: Paint = (ink, text) => styleText(STYLES[ink], text, { validateStream: false })
